import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { encodeModel } from '../../scripts/onnx-writer.ts';
import { loadModelPackage } from '../../src/catalog/model-package.ts';
import {
  buildGraph,
  classifier,
  type FolderChanges,
  writeClassifier,
} from '../support/onnx-model.ts';
import { temporaryFolder } from './temporary-folder.ts';

const root = await temporaryFolder();
let folder: string;
beforeEach(async ({ task }) => {
  folder = join(root, task.id);
});

async function loadPackage() {
  const loaded = await loadModelPackage(folder);
  if (!loaded.ok) {
    throw new Error(loaded.error.join('\n'));
  }
  return loaded.value;
}

async function problems(): Promise<readonly string[]> {
  const loaded = await loadModelPackage(folder);
  return loaded.ok ? [] : loaded.error;
}

const withLabels = (labels: Record<string, string>, files: FolderChanges['files'] = {}) => ({
  manifest: (manifest: Parameters<NonNullable<FolderChanges['manifest']>>[0]) => ({
    ...manifest,
    labels,
  }),
  files,
});

test('reads labels of several languages as they are', async () => {
  const chinese = ['吸尘器', '[default]', 'has error_code'];
  await writeClassifier(
    folder,
    classifier(),
    withLabels(
      { zh: 'labels/zh.txt', en: 'labels.en.json', windows: 'w.txt', bom: 'bom.json' },
      {
        'labels/zh.txt': chinese.join('\n'),
        'w.txt': `\uFEFF${chinese.join('\r\n')}\r\n`,
        'bom.json': `\uFEFF${JSON.stringify(chinese)}`,
      },
    ),
  );
  const { labels } = await loadPackage();
  expect([...labels]).toEqual([
    ['zh', chinese],
    ['en', ['class 0', 'class 1', 'class 2']],
    ['windows', chinese],
    ['bom', chinese],
  ]);
});

test.each([
  ['empty.txt', '', 'expected class names, found none'],
  ['empty.json', '[]', 'expected class names, found none'],
  ['gap.txt', 'a\n\nb\n', 'expected a name for every class, found none for class 1'],
  ['blank.json', '["a", " "]', 'expected a name for every class, found none for class 1'],
  ['object.json', '{"0": "a"}', 'expected a JSON array of class names (strings)'],
  ['numbers.json', '["a", 1]', 'expected a JSON array of class names (strings)'],
  ['cut.json', '["a", "b', 'expected a JSON array of class names (strings)'],
  // Cat and dog in Chinese as GBK, as Windows programs write them.
  ['gbk.txt', Buffer.from([0xc3, 0xa8, 0x0a, 0xb9, 0xb7]), 'expected class names in UTF-8'],
])('refuses the label file %s', async (file, content, expected) => {
  await writeClassifier(folder, classifier(), withLabels({ en: file }, { [file]: content }));
  const [problem, ...others] = await problems();
  expect(problem).toContain(`${join(folder, file)}: ${expected}`);
  expect(others).toEqual([]);
});

test('names every file that is not what the manifest says, and what to do', async () => {
  await writeClassifier(
    folder,
    classifier(),
    withLabels(
      { en: 'labels.en.json', fr: 'fr.txt', de: 'de.txt', it: 'it.txt' },
      { 'fr.txt': 'un\ndeux\ntrois', 'de.txt': 'eins\nzwei\ndrei', 'it.txt': '' },
    ),
  );
  await truncate(join(folder, 'model.onnx'), 100);
  await writeFile(
    join(folder, 'labels.en.json'),
    'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n',
  );
  await rm(join(folder, 'fr.txt'));
  await rm(join(folder, 'de.txt'));
  await mkdir(join(folder, 'de.txt'));
  const found = await problems();
  expect(found).toEqual([
    `${folder}/de.txt: expected a file, found a folder`,
    `${folder}/fr.txt: expected this file, found nothing there`,
    `${folder}/it.txt: expected class names, found none`,
    expect.stringMatching(/labels\.en\.json: .*Git LFS pointer.*git lfs pull/),
    expect.stringMatching(
      /model\.onnx: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}; .*cut short/,
    ),
  ]);
});

test('a Git LFS pointer in place of the model is named as one', async () => {
  await writeClassifier(folder, classifier());
  await writeFile(join(folder, 'model.onnx'), 'version https://git-lfs.github.com/spec/v1\n');
  expect(await problems()).toEqual([expect.stringContaining('found a Git LFS pointer')]);
});

test('weights in a further file must be listed, so that they are checked', async () => {
  const model = classifier({ externalData: 'weights.bin' });
  await writeClassifier(folder, model, { files: { 'weights.bin': null } });
  await writeFile(join(folder, 'weights.bin'), Buffer.alloc(36));
  expect(await problems()).toEqual([
    `${folder}/manifest.json: files: expected the SHA-256 of weights.bin, in which model.onnx keeps weights, found no entry for it`,
  ]);
});

test('weights in a further file that is missing or changed are named', async () => {
  await writeClassifier(folder, classifier({ externalData: 'weights.bin' }));
  const weights = await readFile(join(folder, 'weights.bin'));
  await writeFile(join(folder, 'weights.bin'), weights.fill(1, 0, 1));
  expect(await problems()).toEqual([expect.stringContaining('weights.bin: expected SHA-256')]);
  await rm(join(folder, 'weights.bin'));
  expect(await problems()).toEqual([
    `${folder}/weights.bin: expected this file, found nothing there`,
  ]);
});

test('other weights in a further file are other weights, whatever the graph', async () => {
  const bytesOf = async (first: number) => {
    const weights = [[first, 0, 0], ...classifier().weights.slice(1)];
    await writeClassifier(folder, classifier({ externalData: 'weights.bin', weights }));
    return loadPackage();
  };
  const one = await bytesOf(1);
  const other = await bytesOf(2);
  expect(other.modelSha256).toBe(one.modelSha256);
  expect(other.weightsSha256).not.toBe(one.weightsSha256);
});

test('further labels or pictures leave the weights what they are', async () => {
  await writeClassifier(folder, classifier());
  const before = await loadPackage();
  await writeClassifier(
    folder,
    classifier(),
    withLabels({ en: 'labels.en.json', zh: 'zh.txt' }, { 'zh.txt': 'a\nb\nc' }),
  );
  expect((await loadPackage()).weightsSha256).toBe(before.weightsSha256);
});

test('weights of a graph in a folder of its own lie beside it', async () => {
  const model = classifier({ externalData: 'weights.bin' });
  await writeClassifier(folder, model, {
    manifest: (manifest) => ({ ...manifest, model: 'graph/model.onnx' }),
    files: { 'graph/model.onnx': encodeModel(buildGraph(model)), 'weights.bin': null },
  });
  expect(await problems()).toEqual([
    expect.stringContaining('expected the SHA-256 of graph/weights.bin'),
  ]);
});
