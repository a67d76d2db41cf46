import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classifier, seededWeights, writeClassifier } from '../support/onnx-model.ts';
import { classifyPhoto, load, makeRandomModel } from './load-service.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();

/** Behind weights of such sizes, what is stored next begins at odd places. */
const tinyModels = await Promise.all(
  [10, 100, 333, 400, 1000].map(async (classes): Promise<[string, string]> => {
    const model = classifier(seededWeights(5, classes, 3));
    const path = await writeClassifier(join(folder, `tiny-${classes}`), model);
    return [`${classes} classes of three weights`, path];
  }),
);

test.each<[string, string]>([
  ...tinyModels,
  ['the default model', 'efficientnet-lite0'],
  ['convolutions and matrices', makeRandomModel(folder)],
])('answers the same bits with a prepared form, a reused one and without: %s', async (_, model) => {
  const stateDir = join(folder, 'state', model);
  const answers: string[] = [];
  for (const each of [stateDir, stateDir, '/dev/null/state']) {
    await using loaded = await load(each, model);
    expect(loaded.service.status().session?.isPrepared).toBe(each === stateDir);
    answers.push(await classifyPhoto(loaded));
  }
  expect(new Set(answers).size).toBe(1);
});
