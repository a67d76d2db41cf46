import { execFile, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { buildArchive } from '../../scripts/package/build.ts';
import { createReleaseKey, type ReleaseKey } from '../../scripts/package/signature.ts';
import { packageRoot } from './server.ts';

const run = promisify(execFile);

export interface TestArchive {
  readonly file: string;
  /** Where it lies unpacked; not to be changed. */
  readonly folder: string;
  readonly version: string;
  readonly key: ReleaseKey;
}

const VERSION = '1.2.3-test';
const TOP = `edge-infer-${VERSION}`;
const POLL_MS = 100;

/**
 * Whether this host has what an archive is made with. Tests need nothing but Node and npm, so those
 * of the archive are left out where it has not; CI has it.
 */
export const canBuildArchives =
  ['patchelf', 'strip', 'readelf', 'gcc', 'git', 'dpkg-query'].every(
    (name) => spawnSync(name, ['--version']).status === 0,
  ) && existsSync(join(packageRoot, 'native-bindings/build/edge-infer.node'));

/** An archive of this working tree, signed with a key of its own: built once for all test files. */
export async function openTestArchive(): Promise<TestArchive> {
  const shared = join(inject('sharedFolder'), 'archive');
  const outcome = join(shared, 'outcome');
  if (await takesIt(shared)) {
    const problem = await build(shared).then(
      () => '',
      (error: unknown) => String(error),
    );
    await writeFile(`${outcome}.part`, problem);
    await rename(`${outcome}.part`, outcome);
  }
  while (!existsSync(outcome)) {
    await setTimeout(POLL_MS);
  }
  const problem = await readFile(outcome, 'utf8');
  if (problem !== '') {
    throw new Error(`the archive for tests could not be built: ${problem}`);
  }
  return {
    file: join(shared, `${TOP}-linux-x64-cpu.tar.gz`),
    folder: join(shared, TOP),
    version: VERSION,
    key: createReleaseKey(createPrivateKey(await readFile(join(shared, 'key.pem')))),
  };
}

/** Whether this process is the first to want it. */
async function takesIt(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function build(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const { file } = await buildArchive({
    ...{ root: packageRoot, version: VERSION, flavor: 'cpu', out: folder },
    key: createReleaseKey(privateKey),
    compressionLevel: 1,
    onProgress: () => undefined,
  });
  await run('tar', ['--extract', '--gzip', '--file', file, '--directory', folder]);
}
