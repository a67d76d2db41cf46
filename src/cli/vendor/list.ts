import { z } from 'zod';
import { writeOutput } from '../output.ts';
import { formatTable, printable } from '../text-table.ts';
import { collectIssued, type IssuedLicense, statusOf } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, checkOptions } from './problems.ts';
import { readRegister } from './register-file.ts';
import { formatTime } from './text.ts';

const listOptions = z.object({
  register: optionSchemas.register,
  json: z.literal(true).optional(),
});

/** Prints what was issued to whom and what became of it. Throws an OperatorError. */
export async function runList(given: Readonly<Record<string, unknown>>): Promise<void> {
  const options = checkOptions(listOptions, given, 'vendor list');
  const { register } = allOrThrow({ register: await readRegister(options.register) });
  const { issued } = allOrThrow({ issued: collectIssued(register) });
  const nowS = Math.floor(Date.now() / 1000);
  for (const line of register.cutLines) {
    process.stderr.write(
      `note: ${register.path}:${line}: an entry whose writing was cut short; its licence never went out\n`,
    );
  }
  const licenses = [...issued.values()];
  if (options.json) {
    const lines = licenses.map((license) => `${JSON.stringify(toRecord(license, nowS))}\n`);
    await writeOutput(lines.join(''));
  } else if (licenses.length === 0) {
    process.stderr.write(`no licence in ${register.path}\n`);
  } else {
    await writeOutput(formatLicenses(licenses, nowS));
  }
}

function toRecord(license: IssuedLicense, nowS: number) {
  const { claims, kid, file, reissue, revoked, replacedBy } = license;
  return { status: statusOf(license, nowS), kid, claims, reissue, revoked, replacedBy, file };
}

function formatLicenses(licenses: readonly IssuedLicense[], nowS: number): string {
  const titles = ['LICENCE', 'CUSTOMER', 'DEPLOY NAME', 'KIND', 'TIER', 'ISSUED', 'ENDS', 'STATUS'];
  const rows = licenses.map((license) => {
    const { claims } = license;
    return [
      claims.lic_id,
      printable(claims.customer),
      printable(claims.deploy_name),
      claims.kind,
      claims.tier,
      formatTime(claims.iat).slice(0, 10),
      claims.exp === undefined ? 'never' : formatTime(claims.exp).slice(0, 10),
      describeStatus(license, nowS),
    ];
  });
  return formatTable([titles, ...rows], { widths: titles.map(() => null) });
}

function describeStatus(license: IssuedLicense, nowS: number): string {
  const { reissue, revoked, replacedBy } = license;
  const status = statusOf(license, nowS);
  const details = {
    live: '',
    ended: '',
    replaced: ` by ${replacedBy}`,
    revoked: revoked?.reason === undefined ? '' : `: ${printable(revoked.reason)}`,
  };
  const origin = reissue === undefined ? '' : `, for ${reissue.of}, ${reissue.because}`;
  return `${status}${details[status]}${origin}`;
}
