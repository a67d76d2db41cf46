import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createImageService, type ImageService } from '../../src/inference/service.ts';
import { packageRoot } from '../support/server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();
/** Convolutions and matrices with random weights: the two kinds that onnxruntime rearranges. */
const randomModel = join(folder, 'random');
const photo = join(packageRoot, 'models/efficientnet-lite0/golden/rocket.jpg');

beforeAll(() => {
  const script = join(packageRoot, 'scripts/make-random-model.ts');
  const { status } = spawnSync(process.execPath, [script, randomModel, '13']);
  expect(status).toBe(0);
});

interface Loaded extends AsyncDisposable {
  readonly service: ImageService;
  readonly warnings: readonly string[];
}

async function load(stateDir: string, model: string, workers = 1): Promise<Loaded> {
  const warnings: string[] = [];
  const service = createImageService(
    {
      deployName: 'test',
      model,
      modelsDir: join(packageRoot, 'models'),
      stateDir,
      device: 'cpu',
      workers,
      deadlineMs: 10_000,
      queue: { maxRequests: 10, maxBytes: 1e8 },
      runtimeVersion: '1',
      cpuFeatures: 'these',
    },
    {
      onReady: () => undefined,
      onFailed: ({ problems }) => warnings.push(...problems),
      onWarning: (message) => warnings.push(message),
      onWorkerDied: (message) => warnings.push(message),
    },
  );
  await service.load();
  return { service, warnings, [Symbol.asyncDispose]: () => service.close() };
}

async function classifyPhoto({ service }: Loaded): Promise<string> {
  const image = new Uint8Array(await readFile(photo));
  const { outcome } = await service.classifyImage(image, 1000);
  expect(outcome.ok).toBe(true);
  return JSON.stringify(outcome);
}

async function formFiles(stateDir: string) {
  const [form, ...others] = await readdir(join(stateDir, 'prepared'));
  expect(others).toEqual([]);
  const weights = join(stateDir, 'prepared', form ?? '', 'weights.bin');
  return { weights, inode: (await stat(weights)).ino };
}

test.each(['efficientnet-lite0', randomModel])(
  'answers the same bits with a prepared form, a reused one and without: %s',
  async (model) => {
    const stateDir = join(folder, 'state', model);
    const answers: string[] = [];
    for (const each of [stateDir, stateDir, '/dev/null/state']) {
      await using loaded = await load(each, model);
      expect(loaded.service.status().isPrepared).toBe(each === stateDir);
      answers.push(await classifyPhoto(loaded));
    }
    expect(new Set(answers).size).toBe(1);
  },
);

test('says why there is no prepared form, and serves the model all the same', async () => {
  await using loaded = await load('/dev/null/state', randomModel);
  expect(loaded.service.status().state).toBe('ready');
  expect(loaded.warnings).toEqual([
    expect.stringMatching(/no prepared form.*its own copy.*\/dev\/null\/state.*ENOTDIR/),
  ]);
});

test('workers map the same weights and copy none of them', async () => {
  const stateDir = join(folder, 'shared');
  await using loaded = await load(stateDir, randomModel, 2);
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
