import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../scripts/package/host/bin/verify-archive.mjs';
import { createManifest } from '../../scripts/package/manifest.ts';
import { createReleaseKey, signManifest } from '../../scripts/package/signature.ts';
import { makeFolder } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const verifier = join(packageRoot, 'scripts/package/host/bin/verify-archive.mjs');
const createKey = () => createReleaseKey(generateKeyPairSync('ed25519').privateKey);
const key = createKey();
const folder = await makeFolder();
const keyFile = join(folder, 'trusted.pub');
await writeFile(keyFile, key.pem);

/** A small archive as it lies unpacked: its folder. */
const whole = join(folder, 'whole');
const entries = [
  { path: 'bin/run', bytes: Buffer.from('#!/bin/sh\n'), isExecutable: true },
  { path: 'data/one', bytes: Buffer.from('one'), isExecutable: false },
  { path: 'data/deep/two', bytes: Buffer.from('two'), isExecutable: false },
];
const manifest = await createManifest({
  source: { root: packageRoot, commit: 'c', commitTime: 0, isDirty: false, files: [] },
  ...{ version: '1.0.0', flavor: 'cpu', entries },
  needs: { libraries: [], symbolVersions: {} },
});
const text = Buffer.from(JSON.stringify(manifest));
for (const { path, bytes, isExecutable } of [
  ...entries,
  { path: MANIFEST_FILE, bytes: text, isExecutable: false },
  { path: SIGNATURE_FILE, bytes: signManifest(text, key), isExecutable: false },
]) {
  await mkdir(dirname(join(whole, path)), { recursive: true });
  await writeFile(join(whole, path), bytes);
  await chmod(join(whole, path), isExecutable ? 0o755 : 0o644);
}

let copies = 0;
async function damage(how: (at: (path: string) => string) => Promise<unknown>): Promise<string> {
  copies += 1;
  const copy = join(folder, `copy-${copies}`);
  await cp(whole, copy, { recursive: true });
  await how((path) => join(copy, path));
  return copy;
}

async function verify(...args: string[]) {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [verifier, ...args], {
      env: {},
    });
    return { exitCode: 0, stdout, stderr: '' };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { exitCode: code, stdout: '', stderr };
  }
}

test('accepts what was signed', async () => {
  expect(await verify(whole, '--key', keyFile)).toEqual({
    exitCode: 0,
    stdout: 'edge-infer 1.0.0 (cpu): 3 files, whole and signed\n',
    stderr: '',
  });
  expect((await verify(whole, '--allow-unsigned')).stdout).toContain('nobody signed for it');
});

const damages: readonly [string, string, (at: (path: string) => string) => Promise<unknown>][] = [
  ['a flipped byte', 'data/one: expected sha256', (at) => writeFile(at('data/one'), 'onf')],
  ['a cut file', 'data/one: expected 3 bytes, found 1', (at) => truncate(at('data/one'), 1)],
  ['a missing file', 'data/one: expected a file, found none', (at) => rm(at('data/one'))],
  [
    'a missing folder',
    'data/deep/two: expected a file',
    (at) => rm(at('data/deep'), { recursive: true }),
  ],
  ['a file too many', 'data/three: expected nothing here', (at) => writeFile(at('data/three'), '')],
  ['a folder too many', 'more: expected nothing here', (at) => mkdir(at('more'))],
  ['a link too many', 'more: expected nothing here', (at) => symlink('data', at('more'))],
  [
    'a link in the place of a file',
    'data/one: expected a plain file',
    async (at) => {
      await rm(at('data/one'));
      await symlink('deep/two', at('data/one'));
    },
  ],
  [
    'a link in the place of a folder',
    'data: expected nothing here',
    async (at) => {
      await cp(at('data'), `${at('')}-aside`, { recursive: true });
      await rm(at('data'), { recursive: true });
      await symlink(`${at('')}-aside`, at('data'));
    },
  ],
  ['a program that cannot run', 'bin/run: expected a program', (at) => chmod(at('bin/run'), 0o644)],
  [
    'a file that others may change',
    'data/one: expected mode 644, found 666',
    (at) => chmod(at('data/one'), 0o666),
  ],
  [
    'a program with the rights of its owner',
    'bin/run: expected mode 755, found 4755',
    (at) => chmod(at('bin/run'), 0o4755),
  ],
  ['no manifest', 'MANIFEST.json: expected the list', (at) => rm(at(MANIFEST_FILE))],
  ['no signature', 'MANIFEST.sig: expected a signature', (at) => rm(at(SIGNATURE_FILE))],
  [
    'a cut signature',
    'MANIFEST.sig: expected a signature',
    (at) => truncate(at(SIGNATURE_FILE), 63),
  ],
  [
    'a changed manifest',
    'MANIFEST.sig: the signature is not',
    (at) => writeFile(at(MANIFEST_FILE), text.toString().replace('1.0.0', '1.0.1')),
  ],
  [
    'a manifest signed with another key',
    'MANIFEST.sig: the signature is not',
    (at) => writeFile(at(SIGNATURE_FILE), signManifest(text, createKey())),
  ],
  [
    'a manifest that is none',
    'MANIFEST.json: expected the JSON of a manifest',
    (at) => writeFile(at(MANIFEST_FILE), '{"format":1,"product":"edge-infer"}'),
  ],
];

test('judges by whatever link it is called', async () => {
  const link = join(folder, 'current');
  await symlink(dirname(verifier), link);
  const copy = await damage((at) => writeFile(at('data/one'), 'onf'));
  const call = [join(link, 'verify-archive.mjs'), copy, '--key', keyFile];
  await expect(promisify(execFile)(process.execPath, call)).rejects.toMatchObject({ code: 65 });
});

test.each(damages)('refuses %s', async (_, message, how) => {
  const copy = await damage(how);
  const { exitCode, stderr } = await verify(copy, '--key', keyFile);
  expect(exitCode).toBe(65);
  expect(stderr.split('\n').find((line) => line.startsWith(message))).toMatch(/; .{10}/);
});

test('a manifest may name nothing outside of the folder', async () => {
  const names = ['../one', '/etc/passwd', 'data/../../one', 'data//one', '', '.', '..'];
  for (const name of names) {
    const files = [{ path: name, size: 3, mode: '644', sha256: 'a'.repeat(64) }];
    const bytes = Buffer.from(JSON.stringify({ ...manifest, files }));
    const copy = await damage(async (at) => {
      await writeFile(at(MANIFEST_FILE), bytes);
      await writeFile(at(SIGNATURE_FILE), signManifest(bytes, key));
    });
    expect((await verify(copy, '--key', keyFile)).stderr, name).toContain(
      'expected the JSON of a manifest',
    );
  }
});

test('tells every problem, and control characters of names as text', async () => {
  const copy = await damage(async (at) => {
    await writeFile(at('data/one'), 'onf');
    await rm(at('data/deep/two'));
    await writeFile(at('data/\u001b[31mred'), '');
  });
  const { stderr } = await verify(copy, '--key', keyFile);
  expect(stderr).toContain('3 problem(s)');
  expect(stderr).toContain('data/\\u001b[31mred: expected nothing here');
});

test('says how it is called', async () => {
  const other = join(folder, 'other.pub');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(other, publicKey.export({ format: 'pem', type: 'spki' }));
  const calls = [
    [],
    [whole],
    [whole, '--key', keyFile, '--allow-unsigned'],
    [whole, 'more', '--key', keyFile],
    [whole, '--key', join(folder, 'none')],
    [whole, '--key', verifier],
    [whole, '--key', other],
    [whole, '--wrong'],
  ];
  for (const call of calls) {
    const { exitCode, stderr } = await verify(...call);
    expect([exitCode, stderr]).toEqual([64, expect.stringMatching(/^verify-archive: .+\nusage: /)]);
  }
});
