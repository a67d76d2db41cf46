import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classifyPhoto, load, makeRandomModel } from './load-service.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();

test.each([
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
