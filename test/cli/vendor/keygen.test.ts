import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { decryptKey, parseKeyFile } from '../../../src/cli/vendor/key-file.ts';
import { describeReleaseKey } from '../../../src/cli/vendor/release-key.ts';
import { parseBuildFile } from '../../../src/licensing/build-keys.ts';
import { packageRoot } from '../../support/server.ts';
import { createVendor, passphrase } from './vendor-fixture.ts';

const vendor = await createVendor();
const at = (name: string) => join(vendor.folder, name);
const read = async (name: string) => parseKeyFile(await readFile(at(name), 'utf8'));

test('makes a key that its passphrase opens, for its owner alone', async () => {
  const { exitCode, stdout } = await vendor.run('keygen', '--kind', 'trial', '--out', 'new.key');
  expect(exitCode).toBe(0);
  expect((await stat(at('new.key'))).mode & 0o777).toBe(0o600);
  const file = await read('new.key');
  expect(file.ok && (await decryptKey(file.value, passphrase)).ok).toBe(true);
  const entry = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as unknown;
  expect(entry).toEqual(
    file.ok && { kid: file.value.kid, kind: 'trial', publicKey: file.value.publicKey },
  );
  expect(stdout).not.toContain(passphrase);
});

test('makes a key for releases, and says what customers compare it by', async () => {
  const { exitCode, stdout } = await vendor.run('keygen', '--kind', 'release', '--out', 'r.key');
  expect(exitCode).toBe(0);
  const file = await read('r.key');
  const { pem, fingerprint } = describeReleaseKey(file.ok ? file.value.publicKey : '');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(fingerprint);
  await writeFile(at('release-key.pub'), pem);
  const { stdout: sums } = await promisify(execFile)('sha256sum', [at('release-key.pub')]);
  expect(sums.split(' ')[0]).toBe(fingerprint);
  expect((await vendor.run('inspect', 'r.key')).stdout).toContain(fingerprint);

  const text = await readFile(at('build.json'), 'utf8');
  const added = ['keygen', '--kind', 'release', '--out', 's.key', '--add-to', 'build.json'];
  expect(await vendor.run(...added)).toMatchObject({
    exitCode: 65,
    stderr: expect.stringContaining('found one that signs releases'),
  });
  expect(await readFile(at('build.json'), 'utf8')).toBe(text);
});

test('lies outside of the project, in a folder of its owner, unless said', async () => {
  await vendor.run('keygen', '--kind', 'permanent');
  const folder = at('data/edge-infer/vendor');
  expect(await readdir(folder)).toEqual([expect.stringMatching(/^permanent-[0-9a-f]{16}\.key$/)]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const inside = join(packageRoot, 'license/new.key');
  const { exitCode, stderr } = await vendor.run('keygen', '--kind', 'trial', '--out', inside);
  expect(exitCode).toBe(65);
  expect(stderr).toContain('which is shipped');
});

test('puts the entry behind those that a build knows, up to two of a kind', async () => {
  const add = (out: string) =>
    vendor.run('keygen', '--kind', 'trial', '--out', out, '--add-to', 'build.json');
  expect(await add('next.key')).toMatchObject({ exitCode: 0 });
  const build = parseBuildFile(await readFile(at('build.json')));
  const next = await read('next.key');
  expect(build.ok && build.value.keys.at(-1)?.kid).toBe(next.ok && next.value.kid);
  expect(build.ok && build.value.keys).toHaveLength(4);

  const text = await readFile(at('build.json'), 'utf8');
  const { exitCode, stderr } = await add('third.key');
  expect(exitCode).toBe(65);
  expect(stderr).toContain('expected at most 2 keys for trial licences, the current and the next');
  expect(await readFile(at('build.json'), 'utf8')).toBe(text);
  expect(await readdir(vendor.folder)).not.toContain('third.key');
});

test('overwrites nothing, and names all problems at once', async () => {
  await writeFile(at('short'), 'short\n');
  const before = await readFile(at('trial.key'), 'utf8');
  const { exitCode, stderr } = await vendor.run(
    ...['keygen', '--kind', 'trial', '--out', 'trial.key', '--add-to', 'none.json'],
  );
  expect(exitCode).toBe(66);
  expect(stderr).toMatch(/there are 2 problems:\n.+trial\.key: expected nothing.+\n.+none\.json/);
  expect(await readFile(at('trial.key'), 'utf8')).toBe(before);
  const short = ['keygen', '--kind', 'trial', '--out', 'short.key', '--passphrase-file', 'short'];
  expect(await vendor.run(...short)).toMatchObject({
    exitCode: 65,
    stderr: 'edge-infer: expected a passphrase of at least 12 characters, found 5\n',
  });
});
