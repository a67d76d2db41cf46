import { readFileSync } from 'node:fs';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classifyPhoto, load, makeRandomModel } from './load-service.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();
const randomModel = makeRandomModel(folder);

async function formFiles(stateDir: string) {
  const [form, ...others] = await readdir(join(stateDir, 'prepared'));
  expect(others).toEqual([]);
  const weights = join(stateDir, 'prepared', form ?? '', 'weights.bin');
  return { weights, inode: (await stat(weights)).ino };
}

test('says why there is no prepared form, and serves the model all the same', async () => {
  await using loaded = await load('/dev/null/state', randomModel);
  expect(loaded.service.status().state).toBe('ready');
  expect(loaded.warnings).toEqual([
    expect.stringMatching(/no prepared form.*its own copy.*\/dev\/null\/state.*ENOTDIR/),
  ]);
});

test('workers map the same weights and copy none of them', async () => {
  const stateDir = join(folder, 'shared');
  await using loaded = await load(stateDir, randomModel, { workers: 2 });
  await Promise.all([classifyPhoto(loaded), classifyPhoto(loaded)]);
  const { weights } = await formFiles(stateDir);
  // Matrices are stored once more, rearranged for their kernels: else each worker would do that
  // in memory of its own.
  const model = await stat(join(randomModel, 'model.onnx'));
  expect((await stat(weights)).size).toBeGreaterThan(1.3 * model.size);
  const mappings = readMappings(weights);
  const workersMapping = new Set(mappings.map(({ offset }) => offset));
  expect(mappings.length).toBe(2 * workersMapping.size);
  expect(mappings.reduce((sum, { dirtyKb }) => sum + dirtyKb, 0)).toBe(0);
  const mappedBytes = mappings.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(mappedBytes).toBeGreaterThan(2 * 10_000_000);
});

test('a damaged form is made anew while a server has the old one mapped', async () => {
  const stateDir = join(folder, 'damaged');
  await using first = await load(stateDir, randomModel);
  const before = await formFiles(stateDir);
  const answer = await classifyPhoto(first);
  // A damaged copy takes its place: changing mapped bytes would change the running server.
  const bytes = await readFile(before.weights);
  bytes[5000] = (bytes[5000] ?? 0) ^ 0x40;
  await writeFile(join(stateDir, 'copy'), bytes);
  await rename(join(stateDir, 'copy'), before.weights);

  await using second = await load(stateDir, randomModel);
  expect(second.warnings).toEqual([]);
  expect((await formFiles(stateDir)).inode).not.toBe(before.inode);
  expect(await classifyPhoto(second)).toBe(answer);
  expect(await classifyPhoto(first)).toBe(answer);
});

test('services that prepare the same model at once share one form', async () => {
  const stateDir = join(folder, 'at-once');
  const all = await Promise.all([load(stateDir, randomModel), load(stateDir, randomModel)]);
  const answers = await Promise.all(all.map(classifyPhoto));
  await Promise.all(all.map(({ service }) => service.close()));
  expect(all.flatMap(({ warnings }) => warnings)).toEqual([]);
  expect(answers[0]).toBe(answers[1]);
  await formFiles(stateDir);
});

interface Mapping {
  readonly offset: string;
  readonly bytes: number;
  readonly dirtyKb: number;
}

/** This process's mappings of a file, from `/proc/self/smaps`. */
function readMappings(path: string): Mapping[] {
  const smaps = readFileSync('/proc/self/smaps', 'utf8');
  return smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).flatMap((entry) => {
    const [, start, end, offset, file] =
      /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +(.*)/.exec(entry) ?? [];
    if (file !== path || start === undefined || end === undefined || offset === undefined) {
      return [];
    }
    const dirtyKb = Number(/^Private_Dirty: +(\d+)/m.exec(entry)?.[1]);
    return [{ offset, bytes: Number.parseInt(end, 16) - Number.parseInt(start, 16), dirtyKb }];
  });
}
