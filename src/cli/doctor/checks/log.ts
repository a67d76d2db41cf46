import { askAt } from '../../running-server.ts';
import { SERVICE_UNIT } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, warning } from '../finding.ts';
import { formatDuration } from '../format-units.ts';
import type { HostView } from '../host-view.ts';
import { parseJournal } from '../journal.ts';
import { createRedactor } from '../redact.ts';

const DROPPED = /^edge_infer_log_lines_dropped_total (\d+)$/m;
const MAX_LINES = '500';
const MAX_TOLD = 5;
const MAX_CHARACTERS = 300;
const LOG = 'sudo journalctl -u edge-infer -b -p err --no-pager';

/** The last errors since the host started, each message once with how often it came. */
export const logCheck: Check = {
  name: 'log',
  async run(host) {
    return [...(await describeDropped(host)), ...(await describeErrors(host))];
  },
};

/** Lines that the server could not write; it goes on serving. */
async function describeDropped({ server, addresses }: HostView): Promise<Finding[]> {
  const metrics = server.ok ? await askAt(addresses.admin, '/metrics') : server;
  const [, dropped = '0'] = (metrics.ok && DROPPED.exec(metrics.value)) || [];
  return Number(dropped) > 0
    ? [
        warning(
          `${dropped} lines of the log were dropped since the server started`,
          'Whoever takes the log (the journal, or a pipe) was too slow or stood still; requests were answered all the same.',
          'sudo systemctl status systemd-journald; df -h /var/log/journal /run/log/journal',
        ),
      ]
    : [];
}

async function describeErrors({ unit, runProgram, isRoot }: HostView): Promise<Finding[]> {
  if (unit(SERVICE_UNIT) === undefined) {
    return [];
  }
  const shown = await runProgram(
    'journalctl',
    ...['-u', SERVICE_UNIT, '-b', '-p', 'err', '-n', MAX_LINES, '-o', 'json', '--no-pager'],
  );
  if (!shown.ok) {
    return [note(`the log cannot be read: ${shown.error}`, 'Errors are not shown.', LOG)];
  }
  const entries = parseJournal(shown.value);
  if (entries.length === 0) {
    return [
      isRoot
        ? fine('no errors since the host started')
        : note('no errors that this user may see', 'Root sees them all.', 'sudo edge-infer doctor'),
    ];
  }
  const redact = await createRedactor();
  const byText = Map.groupBy(entries, ({ text }) => shorten(redact(text)));
  const latest = [...byText].slice(-MAX_TOLD);
  const untold = byText.size - latest.length;
  return [
    ...latest.map(([text, same]) => tell(text, same.length, same.at(-1)?.atMs ?? 0)),
    ...(untold > 0 ? [note(`${untold} other errors in the log`, 'They are older.', LOG)] : []),
  ];
}

function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}

function tell(text: string, times: number, atMs: number): Finding {
  const ago = formatDuration(Math.max(0, (Date.now() - atMs) / 1000));
  const often = times === 1 ? '' : `, ${times} times`;
  return warning(
    `${text} (${ago} ago${often})`,
    'An error in the log since the host started.',
    LOG,
  );
}
