import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverEnvironment } from '../../src/platform/server-environment.js';
import type { ArchiveEntry } from './entry.ts';
import type { Source } from './source.ts';

const FOLDER = 'scripts/package/host/';
/** For the operator. */
const PAGE = 'scripts/package/README.md';
const PLACE = '@SERVER_ENVIRONMENT@\n';
const executable = /^(install\.sh|bin\/edge-infer)$/;

/** What lies beside the application: all of `scripts/package/host`, and the operator's page. */
export async function readHostFiles({ root, files }: Source): Promise<readonly ArchiveEntry[]> {
  const shipped = files
    .filter((path) => path.startsWith(FOLDER))
    .map((from) => ({ from, path: from.slice(FOLDER.length) }))
    .concat(files.includes(PAGE) ? [{ from: PAGE, path: 'README.md' }] : []);
  return Promise.all(
    shipped.map(async ({ from, path }) => {
      const bytes = await readFile(join(root, from));
      return {
        path,
        bytes: path === 'bin/edge-infer' ? fillWrapper(bytes) : bytes,
        isExecutable: executable.test(path),
      };
    }),
  );
}

/** Writes the server's environment into the wrapper that starts every command. */
function fillWrapper(wrapper: Buffer): Buffer {
  // It names a folder of the working tree; the wrapper knows where an installation has its own.
  const { NODE_COMPILE_CACHE: _, ...values } = serverEnvironment;
  const lines = Object.entries(values).map(
    ([name, value]) => `: "\${${name}:=${value}}"\nexport ${name}\n`,
  );
  return Buffer.from(wrapper.toString().replace(PLACE, () => lines.join('')));
}
