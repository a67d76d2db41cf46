import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from './source.ts';

/** Folders, as `node_modules/koa`, of the packages that the lock file has for production. */
export async function listProductionPackages({ root }: Source): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true }>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, { dev }]) => folder !== '' && !dev)
    .map(([folder]) => folder);
}

/** The folder of the package that a path lies in, as the innermost `node_modules` on it says. */
export function findPackageFolder(path: string): string | undefined {
  return /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}
