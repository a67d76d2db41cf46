import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { encryptKey, generateKey, MIN_COST } from '../../src/cli/vendor/key-file.ts';
import { makeFolder } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const folder = await makeFolder();
const at = (name: string) => join(folder, name);
const passphrase = 'correct horse battery';
await writeFile(at('right'), `${passphrase}\n`);
await writeFile(at('wrong'), 'another passphrase\n');
for (const kind of ['trial', 'release'] as const) {
  const file = await encryptKey(generateKey(kind), passphrase, MIN_COST);
  await writeFile(at(`${kind}.key`), JSON.stringify(file));
}

/** How `npm run package` ends, and the first line it says. */
async function run(...args: string[]): Promise<string> {
  const script = join(packageRoot, 'scripts/package.ts');
  try {
    await promisify(execFile)(process.execPath, [script, ...args, '--out', at('dist')]);
    return 'built';
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return `${code} ${stderr.split('\n')[0]}`;
  }
}

test.each([
  [[], /^64 .*--flavor/],
  [['--flavor', 'other'], /^64 .*Expected cpu/],
  [['--flavor', 'cuda'], /^64 .*CUDA provider/],
  [['--flavor', 'cpu', '--version', '1/../2'], /^64 .*such as 1\.2\.3/],
  [['--flavor', 'cpu', '--key', at('none')], /^66 .*--key/],
  [['--flavor', 'cpu', '--key', at('right')], /^65 .*signing key/],
  [
    ['--flavor', 'cpu', '--key', at('trial.key'), '--passphrase-file', at('right')],
    /^65 .*expected a key that signs releases, found trial-/,
  ],
  [
    ['--flavor', 'cpu', '--key', at('release.key'), '--passphrase-file', at('wrong')],
    /^65 .*the passphrase is not the one of this key/,
  ],
])('refuses %j', async (args, says) => {
  expect(await run(...args)).toMatch(says);
});
