import { formatBytes } from '../doctor/format-units.ts';
import { createRedactor } from '../doctor/redact.ts';
import type { BundleFile } from './archive.ts';
import type { Source } from './source.ts';

export interface CollectedFile extends BundleFile {
  readonly holds: string;
}

/** Collects every file and takes out of each what must not leave this host. */
export async function collectFiles(sources: readonly Source[]): Promise<CollectedFile[]> {
  const redact = await createRedactor();
  const files: CollectedFile[] = [];
  // One after another: beside a server that serves, this has time.
  for (const { name, holds, collect } of sources) {
    const found = await collect();
    const text = found.ok ? found.value : `not collected: ${found.error}\n`;
    files.push({ name, holds: found.ok ? holds : `${holds}: not collected`, text: redact(text) });
  }
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
