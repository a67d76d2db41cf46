import { chmod, cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildFile } from '../../src/licensing/build-keys.ts';
import { makeFolder } from './run-cli.ts';
import { packageRoot } from './server.ts';

/**
 * A copy of this program that may have a `license` folder of its own, for any user to run.
 * `build` takes the place of `license/build.json`. Returns its folder.
 */
export async function copyRelease(build?: BuildFile): Promise<string> {
  const release = await makeFolder();
  await chmod(release, 0o755);
  for (const name of ['src', 'package.json', 'license']) {
    await cp(join(packageRoot, name), join(release, name), { recursive: true });
  }
  for (const name of ['node_modules', 'models', 'native-bindings']) {
    await symlink(join(packageRoot, name), join(release, name));
  }
  if (build !== undefined) {
    await writeFile(join(release, 'license/build.json'), JSON.stringify(build));
  }
  return release;
}
