import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModelPackage } from '../../src/catalog/model-package.ts';
import { classifier, describeClassifier, writeClassifier } from '../support/onnx-model.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();
const SHA256 = '0'.repeat(64);
const valid = {
  ...describeClassifier(classifier()),
  files: { 'model.onnx': SHA256, 'labels.en.json': SHA256 },
};

/** What is reported of a manifest, without the manifest's own path. */
async function problemsOf(manifest: unknown): Promise<string[]> {
  const path = join(folder, 'manifest.json');
  await writeFile(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  const loaded = await loadModelPackage(folder);
  expect(loaded.ok).toBe(false);
  const problems = loaded.ok ? [] : loaded.error;
  expect(problems.every((problem) => problem.startsWith(`${path}: `))).toBe(true);
  return problems.map((problem) => problem.slice(path.length + 2));
}

test('reports every fault at once: path, expected, found', async () => {
  const problems = await problemsOf({
    ...valid,
    formatVersion: 2,
    name: '',
    files: { 'model.onnx': 'ABC', '../outside': SHA256 },
    input: { ...valid.input, elementType: 'int8', width: 0, height: '24' },
    preprocessing: {
      ...valid.preprocessing,
      resize: { mode: 'squash' },
      interpolation: null,
      normalise: { mean: [1, 2, 3, 4], std: [0], divideBy: 1.5, multiplyBy: 2 },
    },
    labels: {},
    golden: { scoreTolerance: 3, examples: {} },
  });
  expect(problems.sort()).toEqual(
    [
      'formatVersion: expected 1, found 2',
      'name: expected at least 1 character, found ""',
      'files["model.onnx"]: expected a SHA-256 as 64 lower-case hex digits, found "ABC"',
      'files["../outside"]: expected a path inside the model folder as the key',
      'input.elementType: expected "float32" or "float16" or "uint8", found "int8"',
      'input.width: expected at least 1, found 0',
      'input.height: expected a number, found "24"',
      'preprocessing.resize.mode: expected "short-side" or "stretch" or "letterbox", found "squash"',
      'preprocessing.interpolation: expected "bilinear" or "bicubic", found null',
      'preprocessing.normalise.mean: expected at most 3 entries, found a list of 4',
      'preprocessing.normalise.std[0]: expected more than 0, found 0',
      'labels: expected at least one language, found an object',
      'golden.scoreTolerance: expected at most 1, found 3',
      'golden.examples: expected a list, found an object',
    ].sort(),
  );
});

test('names the keys that are missing', async () => {
  const problems = await problemsOf({ formatVersion: 1 });
  expect(problems).toContain('name: expected text, found nothing');
  expect(problems).toContain('input: expected an object, found nothing');
  expect(problems).toContain('golden: expected an object, found nothing');
});

test('names an unknown key and the one that was meant', async () => {
  const { width, ...input } = valid.input;
  const problems = await problemsOf({
    ...valid,
    licence: 'MIT',
    banana: 1,
    input: { ...input, widht: width },
    preprocessing: {
      ...valid.preprocessing,
      resize: { mode: 'letterbox', width: 24, height: 24, fil: 0 },
    },
    golden: { scoreTolerance: 0.1, examples: [{ image: 'model.onnx', topp: [] }] },
  });
  const unknown = problems.filter((problem) => problem.includes('unknown key'));
  expect(unknown).toEqual([
    'input.widht: expected one of name, elementType, layout, colour, width, height, found an unknown key; did you mean "width"?',
    'preprocessing.resize.fil: expected one of mode, size, rounding, width, height, fill, found an unknown key; did you mean "fill"?',
    'golden.examples[0].topp: expected one of image, cropSha256, top, found an unknown key; did you mean "top"?',
    expect.stringMatching(/^licence: .*; did you mean "license"\?$/),
    expect.stringMatching(/^banana: .*found an unknown key$/),
  ]);
});

const int8 = {
  model: 'model.onnx',
  agreement: { images: 1, sameClass: 1 },
  golden: { scoreTolerance: 0.1, examples: [] },
};

test('reports the faults of variants', async () => {
  const problems = await problemsOf({
    ...valid,
    variant: 'int4',
    variants: {
      int8: {
        ...int8,
        needs: { device: 'cuda', anyCpuFeature: [], cpuFeature: 'avx_vnni' },
        agreement: { images: 0, sameClass: 98.4, top1: { reference: 0.9 } },
      },
      float16: int8,
    },
  });
  expect(problems.sort()).toEqual(
    [
      'variant: expected "float32" or "int8", found "int4"',
      'variants.float16: expected one of int8, found an unknown key',
      'variants.int8.needs.device: expected "cpu", found "cuda"',
      'variants.int8.needs.anyCpuFeature: expected at least 1 entry, found an empty list',
      'variants.int8.needs.cpuFeature: expected one of device, anyCpuFeature, found an unknown key; did you mean "anyCpuFeature"?',
      'variants.int8.agreement.images: expected at least 1, found 0',
      'variants.int8.agreement.sameClass: expected at most 1, found 98.4',
      'variants.int8.agreement.top1.variant: expected a number, found nothing',
    ].sort(),
  );
});

test('a variant says how it agrees with the reference, and has golden examples of its own', async () => {
  const { agreement: _agreement, golden: _golden, ...lacking } = int8;
  expect(await problemsOf({ ...valid, variants: { int8: lacking } })).toEqual([
    'variants.int8.agreement: expected an object, found nothing',
    'variants.int8.golden: expected an object, found nothing',
  ]);
});

const { normalise: _normalise, ...withoutNormalise } = valid.preprocessing;

test.each([
  [
    'a short-side resize without a crop',
    { preprocessing: { ...valid.preprocessing, resize: { mode: 'short-side', size: 24 } } },
    'preprocessing.crop: expected a crop after a short-side resize, found none',
  ],
  [
    'preprocessing that ends at other sides than the input',
    { preprocessing: { ...valid.preprocessing, crop: { width: 20, height: 24 } } },
    "preprocessing: expected it to end at the input's 24 x 24, found 20 x 24",
  ],
  [
    'three means for a grey input',
    { input: { ...valid.input, colour: 'grey' } },
    'preprocessing.normalise.mean: expected 1 number for colour grey, found 3',
  ],
  [
    'normalisation of raw pixels',
    { input: { ...valid.input, elementType: 'uint8' } },
    'preprocessing.normalise: expected none with a uint8 input, which takes raw pixels, found some',
  ],
  [
    'no normalisation for a float input',
    { preprocessing: withoutNormalise },
    'preprocessing.normalise: expected mean and std for a float32 input, found nothing',
  ],
  [
    'two ways to scale',
    {
      preprocessing: {
        ...valid.preprocessing,
        normalise: { mean: [0, 0, 0], std: [1, 1, 1], divideBy: 255, multiplyBy: 1 },
      },
    },
    'preprocessing.normalise: expected divideBy or multiplyBy, found both',
  ],
  [
    'a label file without its SHA-256',
    { labels: { en: 'labels.en.json', zh: 'labels.zh.txt' } },
    'files: expected the SHA-256 of labels.zh.txt, found no entry for it',
  ],
  [
    "a variant's graph without its SHA-256",
    { variants: { int8: { ...int8, model: 'int8.onnx' } } },
    'files: expected the SHA-256 of int8.onnx, found no entry for it',
  ],
  [
    "a variant's golden image without its SHA-256",
    {
      variants: {
        int8: {
          ...int8,
          golden: {
            scoreTolerance: 0.1,
            examples: [{ image: 'a.png', top: [{ name: 'a', score: 1 }] }],
          },
        },
      },
    },
    'files: expected the SHA-256 of a.png, found no entry for it',
  ],
  [
    'a variant of the same name as the model itself',
    { variant: 'int8', variants: { int8 } },
    'variants.int8: expected a variant that the model itself is not, found int8 twice',
  ],
  [
    'a file named like a built-in property without its SHA-256',
    { labels: { en: 'labels.en.json', zh: 'constructor' } },
    'files: expected the SHA-256 of constructor, found no entry for it',
  ],
])('refuses %s', async (_name, difference, problem) => {
  expect(await problemsOf({ ...valid, ...difference })).toContain(problem);
});

test.each([
  ['no JSON', '{"name": ', 'expected JSON, found: '],
  ['an array', '[]', 'the manifest: expected an object, found an empty list'],
  ['nothing', '', 'expected JSON, found: '],
])('refuses %s in place of a manifest', async (_name, text, start) => {
  const [problem, ...others] = await problemsOf(text);
  expect(problem?.startsWith(start)).toBe(true);
  expect(others).toEqual([]);
});

test('a folder without a manifest is no model', async () => {
  const loaded = await loadModelPackage(join(folder, 'nowhere'));
  expect(loaded).toEqual({
    ok: false,
    error: [`${join(folder, 'nowhere/manifest.json')}: expected this file, found nothing there`],
  });
});

test('fills in what may be left out, and skips a byte order mark', async () => {
  const model = await writeClassifier(join(folder, 'defaults'), classifier());
  const manifest = join(model, 'manifest.json');
  await writeFile(manifest, `\uFEFF${await readFile(manifest, 'utf8')}`);
  const loaded = await loadModelPackage(model);
  expect(loaded).toMatchObject({
    ok: true,
    value: { manifest: { preprocessing: { exifOrientation: 'ignore' } } },
  });
});
