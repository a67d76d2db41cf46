import { type Changes, type Entries, load } from '../recorded-host.ts';

/** A recorded host, as it is or with changes. */
export type Host = string | readonly [name: string, changes: Changes];

export const OWN_CARD = /\/net\/e(n|th)[^/]*\/address$/;
export const DISK = /vpd_pg80|\/wwid$|b8:0$|\/serial$/;
export const MACHINE_ID = /machine-id$/;
export const PROCESSOR = /cpuinfo$/;
export const FIRMWARE = /dmi\/id\/(product_uuid|product_serial|board_serial)$/;

/** Those files of a recording whose paths match, as `become` makes them. */
export function change(
  name: string,
  path: RegExp,
  become: (text: string) => string | null,
): Entries {
  const before = Object.entries(take(name, path)).map(
    ([one, entry]) => [one, typeof entry === 'string' ? entry : ''] as const,
  );
  const after = before.map(([one, text]) => [one, become(text)] as const);
  if (after.every(([, text], index) => text === before[index]?.[1])) {
    throw new RangeError(`${name}: ${path} changes nothing`);
  }
  return Object.fromEntries(after);
}

/** Those files of a recording whose paths match. */
export function take(name: string, ...paths: readonly RegExp[]): Entries {
  const taken = Object.entries(load(name).files).filter(([one]) =>
    paths.some((path) => path.test(one)),
  );
  if (taken.length === 0) throw new RangeError(`${name} has no file ${paths.join(' or ')}`);
  return Object.fromEntries(taken);
}

/** Another value of the same form: the last two digits counted on. */
export function another(text: string): string {
  return text.replaceAll(/[0-9a-f]{2}(?=\W*$)/gi, (digits) => {
    const next = (Number.parseInt(digits, 16) + 0x11) % 0x100;
    return next.toString(16).padStart(2, '0');
  });
}

/** Other values in all files whose paths match. */
export function renew(name: string, ...paths: readonly RegExp[]): Entries {
  return Object.assign({}, ...paths.map((path) => change(name, path, another)));
}

export function renewed(name: string, ...paths: readonly RegExp[]): Host {
  return [name, { files: renew(name, ...paths) }];
}
