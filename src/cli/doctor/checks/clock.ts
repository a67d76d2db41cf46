import { join } from 'node:path';
import { readLicenseBuild } from '../../../licensing/build-keys.ts';
import { readPackageInfo } from '../../../platform/package-info.ts';
import type { RunProgram } from '../../units/run-program.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';

const YEAR_MS = 365.25 * 86_400_000;
/** Of a release's life. */
const PLAUSIBLE_YEARS = 10;

/** Whether the time can be right, and who sets it. What the licence makes of it is in its states. */
export const clockCheck: Check = {
  name: 'clock',
  async run({ runProgram }) {
    return [await describeTime(), ...(await describeSynchronisation(runProgram))];
  },
};

async function describeTime(): Promise<Finding> {
  const build = await readLicenseBuild(join(readPackageInfo().root, 'license', 'build.json'));
  const builtMs = build.ok ? Date.parse(build.value.builtOn) : Number.NaN;
  const nowMs = Date.now();
  const text = `it is ${new Date(nowMs).toISOString()}`;
  const isRight = !(nowMs < builtMs) && !(nowMs > builtMs + PLAUSIBLE_YEARS * YEAR_MS);
  return isRight
    ? fine(text)
    : problem(
        `${text}, and this release was built on ${new Date(builtMs).toISOString().slice(0, 10)}`,
        'The clock is wrong. A trial then counts running time alone; logs have wrong times.',
        "sudo timedatectl set-ntp false; sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS'",
      );
}

async function describeSynchronisation(runProgram: RunProgram): Promise<Finding[]> {
  const shown = await runProgram('timedatectl', 'show');
  if (!shown.ok && /not been booted|there is no/.test(shown.error)) {
    return []; // whoever runs a host without systemd knows its clock
  }
  if (!shown.ok) {
    return [
      note(
        `whether the clock is set from a time server is unknown: ${shown.error}`,
        'It matters to trials alone.',
      ),
    ];
  }
  const values = new Map(
    shown.value.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  return [
    values.get('NTPSynchronized') === 'yes'
      ? fine('the clock is synchronised with a time server')
      : note(
          'the clock is not synchronised with a time server',
          'Without internet that is usual; one in your own network keeps trials and logs right.',
          'timedatectl status',
        ),
    ...(values.get('LocalRTC') === 'yes'
      ? [
          warning(
            'the hardware clock runs in local time',
            'The clock is some hours wrong after each start, until it is corrected.',
            'sudo timedatectl set-local-rtc 0',
          ),
        ]
      : []),
  ];
}
