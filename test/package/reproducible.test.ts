import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeFolder } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';
import { canBuildArchives, openTestArchive } from '../support/test-archive.ts';

const run = promisify(execFile);

test.skipIf(!canBuildArchives)(
  'another folder, user mask, locale, time zone and order of files make the same bytes',
  async () => {
    const archive = await openTestArchive();
    const folder = await makeFolder();
    const copy = join(folder, 'another folder');
    await copyWorkingTree(copy);
    await mkdir(join(folder, 'out'));
    const builder = `
    import { createPrivateKey } from 'node:crypto';
    import { readFileSync } from 'node:fs';
    import { buildArchive } from './scripts/package/build.ts';
    import { createReleaseKey } from './scripts/package/signature.ts';
    const { file, sha256 } = await buildArchive({
      root: process.cwd(), version: '${archive.version}', flavor: 'cpu', out: process.argv[1],
      key: createReleaseKey(createPrivateKey(readFileSync(process.argv[2]))),
      compressionLevel: 1, onProgress() {},
    });
    process.stdout.write(file);`;
    const script = `umask 077
    node scripts/build-native.js
    exec node --input-type=module --eval "$1" -- "$2" "$3"`;
    const { stdout: file } = await run(
      'sh',
      ['-ec', script, 'sh', builder, join(folder, 'out'), join(archive.file, '../key.pem')],
      {
        cwd: copy,
        env: { ...process.env, TZ: 'Pacific/Apia', LC_ALL: 'C', LANG: 'tr_TR.UTF-8', HOME: folder },
      },
    );
    const [ours, theirs] = await Promise.all([readFile(archive.file), readFile(file)]);
    expect(ours.equals(theirs)).toBe(true);
  },
  120_000,
);

/** The files that git knows as they lie here, with its history, and the installed packages. */
async function copyWorkingTree(target: string): Promise<void> {
  await run('git', ['clone', '--quiet', '--shared', packageRoot, target]);
  const pipe =
    'git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --directory "$1"';
  await run('sh', ['-c', pipe, 'sh', target], { cwd: packageRoot });
  // Not a link to it: of a linked folder npm lists nested packages as if nobody needed them.
  const copy = 'cp -al node_modules "$1" 2>/dev/null || cp -a node_modules "$1"';
  await run('sh', ['-c', copy, 'sh', target], { cwd: packageRoot });
}
