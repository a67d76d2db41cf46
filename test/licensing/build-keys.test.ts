import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { strangerKey, testBuildFile } from '../../scripts/license-vectors/test-keys.ts';
import { parseBuildFile, readLicenseBuild } from '../../src/licensing/build-keys.ts';
import { computeKeyId } from '../../src/licensing/keys.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { packageRoot } from '../support/server.ts';

const [firstKey] = testBuildFile.keys;

function problemsOf(change: object): string[] {
  const result = parseBuildFile(Buffer.from(JSON.stringify({ ...testBuildFile, ...change })));
  return result.ok ? [] : result.error;
}

test('a fresh clone knows no key and may issue itself an evaluation', async () => {
  const build = await readLicenseBuild(join(packageRoot, 'license/build.json'));
  expect(build).toEqual({
    ok: true,
    value: {
      product: 'edge-infer',
      builtOn: '2026-11-22',
      keys: new Map(),
      evaluation: { enabled: true, days: 30 },
    },
  });
});

test('two keys of each kind are known, and never a third', () => {
  expect(problemsOf({})).toEqual([]);
  const { kid, kind, publicKey } = strangerKey;
  expect(problemsOf({ keys: [...testBuildFile.keys, { kid, kind, publicKey }] })).toEqual([
    'keys: expected at most 2 keys for permanent licences, the current and the next, found 3',
  ]);
});

test.each<[string, object]>([
  ['a key id that does not follow', { keys: [{ ...firstKey, kid: 'trial-0000000000000000' }] }],
  ['a key cut short', { keys: [{ ...firstKey, publicKey: firstKey?.publicKey.slice(0, 42) }] }],
  ['padding', { keys: [{ ...firstKey, publicKey: `${firstKey?.publicKey}=` }] }],
  ['a key under another kind', { keys: [{ ...firstKey, kind: 'permanent' }] }],
  ['an algorithm', { keys: [{ ...firstKey, alg: 'none' }] }],
  ['a key given twice', { keys: [firstKey, firstKey] }],
  ['a product that is a path', { product: '../other' }],
  ['text for a switch', { evaluation: { enabled: 'yes', days: 30 } }],
  ['a day that is none', { built: '2026-02-30' }],
  ['an evaluation of no days', { evaluation: { enabled: true, days: 0 } }],
  ['an unknown key', { extra: 1 }],
])('refuses %s', (_, change) => {
  const problems = problemsOf(change);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^.+: expected .+, found .+$/);
});

test('one key is not for both kinds', () => {
  const publicKey = firstKey?.publicKey ?? '';
  const keys = (['trial', 'permanent'] as const).map((kind) => ({
    kid: computeKeyId(kind, publicKey),
    kind,
    publicKey,
  }));
  expect(problemsOf({ keys })).toEqual([
    'keys: expected every key once and for one kind, found one twice',
  ]);
});

test('every problem of a file is told at once, with its path', async () => {
  const path = join(await temporaryFolder(), 'build.json');
  await writeFile(path, JSON.stringify({ product: '', keys: {}, evaluation: {} }));
  expect(await readLicenseBuild(path)).toMatchObject({
    ok: false,
    error: ['product', 'built', 'keys', 'evaluation.enabled', 'evaluation.days'].map((key) =>
      expect.stringContaining(`${path}: ${key}: expected `),
    ),
  });
  await writeFile(path, '{');
  expect(await readLicenseBuild(path)).toMatchObject({
    error: [`${path}: expected JSON, found something else`],
  });
  expect(await readLicenseBuild(`${path}x`)).toMatchObject({ ok: false });
});

test('no test key is in the build', async () => {
  const build = await readLicenseBuild(join(packageRoot, 'license/build.json'));
  const known = build.ok ? [...build.value.keys.keys()] : [];
  const testKids = new Set([...testBuildFile.keys, strangerKey].map(({ kid }) => kid));
  expect(known.filter((kid) => testKids.has(kid))).toEqual([]);
});
