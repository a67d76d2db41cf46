import { doApart } from '../apart.ts';
import { formatBytes } from '../doctor/format-units.ts';
import type { CollectedFile, CollectInput } from './source.ts';
import { sources } from './sources.ts';

const LIMIT_MS = 600_000;
const MODULE = new URL('collect-main.ts', import.meta.url);

/** Collects every file, without what must not leave this host. What hangs is left out and told. */
export async function collectFiles(
  input: CollectInput,
  limitMs = LIMIT_MS,
): Promise<readonly CollectedFile[]> {
  const { found, reason } = await doApart<CollectedFile>(MODULE, input, limitMs);
  const files = sources.map(
    ({ name, holds }) =>
      found.get(name) ?? {
        name,
        holds: `${holds}: not collected`,
        text: `not collected: ${reason}\n`,
      },
  );
  const list = { name: 'CONTENTS.txt', holds: 'this list' };
  return [{ ...list, text: describeFiles([{ ...list, text: '' }, ...files]) }, ...files];
}

/** The list that is shown before anything is written. */
export function describeFiles(files: readonly CollectedFile[]): string {
  const width = Math.max(...files.map(({ name }) => name.length)) + 2;
  const lines = files.map(({ name, holds, text }) => {
    const size = text === '' ? '' : ` (${formatBytes(Buffer.byteLength(text))})`;
    return `  ${name.padEnd(width)}${holds}${size}\n`;
  });
  return `${lines.join('')}
It holds no images, no licence files, no keys, no passwords and no serial numbers. Names of this host
and of its users, and network addresses other than loopback, are replaced by words in brackets.
Paths, deploy names and the customer's name in the licence stay.
`;
}
