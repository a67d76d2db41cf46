import { readFileSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import {
  ensurePrepared,
  type Prepare,
  type PreparedKey,
} from '../../src/catalog/prepared-cache.ts';
import { err, ok } from '../../src/core/result.ts';
import { temporaryFolder } from './temporary-folder.ts';

// What a form consists of matters only to onnxruntime: here it is two files with known content.
const key: PreparedKey = { weightsSha256: 'a', runtimeVersion: '1', cpuFeatures: 'avx' };
const root = await temporaryFolder();
let stateDir: string;
let timesMade: number;
beforeEach(({ task }) => {
  stateDir = join(root, task.id);
  timesMade = 0;
});

const make: Prepare = async (folder) => {
  timesMade++;
  await writeFile(join(folder, 'graph.onnx'), 'graph');
  await writeFile(join(folder, 'weights.bin'), 'weights');
  return ok(true);
};

async function prepare(asked: PreparedKey = key, how: Prepare = make) {
  const prepared = await ensurePrepared(stateDir, asked, how);
  if (!prepared.ok) {
    throw new Error(prepared.error);
  }
  return prepared.value;
}

const forms = async () => (await readdir(join(stateDir, 'prepared'))).sort();

async function identityOf(graphFile: string) {
  const files = [graphFile, join(dirname(graphFile), 'weights.bin')];
  const stats = await Promise.all(files.map((file) => stat(file)));
  return stats.map(({ ino, mtimeMs }) => ({ ino, mtimeMs }));
}

test('makes a form once and uses it again untouched', async () => {
  const first = await prepare();
  expect(first.wasCached).toBe(false);
  expect(readFileSync(first.graphFile, 'utf8')).toBe('graph');
  const before = await identityOf(first.graphFile);
  expect(await prepare()).toEqual({ graphFile: first.graphFile, wasCached: true });
  expect(await identityOf(first.graphFile)).toEqual(before);
  expect(timesMade).toBe(1);
});

test.each([
  ['weights', { ...key, weightsSha256: 'b' }],
  ['runtime', { ...key, runtimeVersion: '2' }],
  ['processor', { ...key, cpuFeatures: 'avx2' }],
])('another %s is another form', async (_what, other) => {
  const first = await prepare();
  const second = await prepare(other);
  expect(second.wasCached).toBe(false);
  expect(second.graphFile).not.toBe(first.graphFile);
  expect((await prepare()).wasCached).toBe(true);
});

test.each(['graph.onnx', 'weights.bin', 'prepared.json'])(
  'a flipped byte in %s has it made anew, and whoever uses the old one keeps it',
  async (name) => {
    const { graphFile } = await prepare();
    const path = join(dirname(graphFile), name);
    const damaged = await readFile(path);
    damaged[3] = (damaged[3] ?? 0) ^ 1;
    await writeFile(path, damaged);
    const before = await stat(path);
    await using user = await open(path);

    expect(await prepare()).toEqual({ graphFile, wasCached: false });
    expect((await stat(path)).ino).not.toBe(before.ino);
    expect(await user.readFile()).toEqual(damaged);
    expect((await prepare()).wasCached).toBe(true);
    expect(await forms()).toEqual([basename(dirname(graphFile))]);
  },
);

test.each(['missing', 'cut', 'a folder'])('%s weights are damage', async (damage) => {
  const { graphFile } = await prepare();
  const weights = join(dirname(graphFile), 'weights.bin');
  if (damage === 'cut') {
    await writeFile(weights, 'weig');
  } else {
    await rename(weights, `${weights}.away`);
    await (damage === 'a folder' ? mkdir(weights) : undefined);
  }
  expect((await prepare()).wasCached).toBe(false);
  expect(readFileSync(weights, 'utf8')).toBe('weights');
});

test('a file in the place of a form is replaced', async () => {
  const { graphFile } = await prepare();
  await rename(dirname(graphFile), `${dirname(graphFile)}-away`);
  await writeFile(dirname(graphFile), 'in the way');
  expect(await prepare()).toEqual({ graphFile, wasCached: false });
});

test('many at once end with one form, used by all', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => prepare()));
  expect(new Set(all.map(({ graphFile }) => graphFile)).size).toBe(1);
  expect(await forms()).toHaveLength(1);
  expect((await prepare()).wasCached).toBe(true);
});

test('where another process was faster its form is used, not replaced', async () => {
  let identity: unknown;
  const slower: Prepare = async (folder) => {
    const { graphFile } = await prepare();
    identity = await identityOf(graphFile);
    return make(folder);
  };
  const { graphFile } = await prepare(key, slower);
  expect(timesMade).toBe(2);
  expect(await identityOf(graphFile)).toEqual(identity);
  expect(await forms()).toHaveLength(1);
});

test.each([
  ['an error', async () => err('no such operator'), 'no such operator'],
  [
    'an exception',
    async () => {
      throw Object.assign(new Error('disk full'), { code: 'ENOSPC' });
    },
    'ENOSPC',
  ],
  [
    'an exception half way',
    async (folder: string) => {
      await writeFile(join(folder, 'graph.onnx'), 'gra');
      throw new Error('out of memory');
    },
    'out of memory',
  ],
] satisfies [string, Prepare, string][])('%s leaves nothing behind', async (_n, how, says) => {
  const prepared = await ensurePrepared(stateDir, key, how);
  expect(prepared).toEqual({ ok: false, error: expect.stringContaining(says) });
  expect(await forms()).toEqual([]);
});

test.each([
  ['a file', async () => writeFile(stateDir, '')],
  [
    'below a file',
    async () => {
      await writeFile(stateDir, '');
      stateDir = join(stateDir, 'below');
    },
  ],
  ['a link that leads nowhere', async () => symlink('/nonexistent/x', stateDir)],
  ['a device', async () => (stateDir = '/dev/null')],
  ['a file system that takes no files', async () => (stateDir = '/sys/kernel')],
])('a state folder that is %s is said to be of no use', async (_name, spoil) => {
  await spoil();
  expect(await ensurePrepared(stateDir, key, make)).toEqual({
    ok: false,
    error: expect.stringContaining(`the state folder ${stateDir} cannot be used (E`),
  });
});

const DAY_MS = 24 * 3600 * 1000;

async function age(path: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(path, then, then);
}

test('a new form removes those that nobody has used for a week', async () => {
  const stale = await prepare({ ...key, runtimeVersion: 'stale' });
  const recent = await prepare({ ...key, runtimeVersion: 'recent' });
  const usedAgain = await prepare({ ...key, runtimeVersion: 'used again' });
  for (const { graphFile } of [stale, usedAgain]) {
    await age(join(dirname(graphFile), 'last-used'), 8);
  }
  await age(join(dirname(recent.graphFile), 'last-used'), 6);
  await prepare({ ...key, runtimeVersion: 'used again' });
  await using user = await open(stale.graphFile);

  const newest = await prepare();
  const kept = [recent, usedAgain, newest].map(({ graphFile }) => basename(dirname(graphFile)));
  expect(await forms()).toEqual(kept.sort());
  expect((await user.readFile()).toString()).toBe('graph');
});

test('a new form removes what a killed process left, but not what is being made', async () => {
  const { graphFile } = await prepare();
  const folder = dirname(graphFile);
  for (const [name, days] of [
    [`${folder}.1.new`, 1],
    [`${folder}.2.old`, 1],
    [`${folder}.3.new`, 0],
  ] as const) {
    await mkdir(name);
    await copyFile(graphFile, join(name, 'graph.onnx'));
    await age(name, days);
  }
  const other = await prepare({ ...key, runtimeVersion: '2' });
  expect(await forms()).toEqual(
    [folder, `${folder}.3.new`, dirname(other.graphFile)].map((name) => basename(name)).sort(),
  );
});
