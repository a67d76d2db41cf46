import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findUserDataDir } from '../../config/environment.ts';
import { readPackageInfo } from '../../platform/package-info.ts';

/** Where keys and the register lie unless said: outside of the project, which is shipped. */
export function vendorFolder(): string {
  return join(findUserDataDir(), 'vendor');
}

export function defaultRegister(): string {
  return join(vendorFolder(), 'register.jsonl');
}

/** `license/build.json` of the release that this program is. */
export function defaultBuildFile(): string {
  return join(readPackageInfo().root, 'license/build.json');
}

/** Makes the folder of a file that is to hold what only its owner may read. */
export async function makePrivateFolderOf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
}
