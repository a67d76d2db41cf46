import { expect, test } from 'vitest';
import { chooseShape } from '../../src/inference/parallel-shape.ts';
import { classifyPhoto, load } from './load-service.ts';
import { temporaryFolder } from './temporary-folder.ts';

const stateDir = await temporaryFolder();

test.each([
  ['a worker of one thread for each processor', 'auto', 'auto', 8, { workers: 8, threads: 1 }],
  ['fewer workers of more threads', 'auto', 3, 8, { workers: 2, threads: 3 }],
  ['one worker at least', 'auto', 8, 2, { workers: 1, threads: 8 }],
  ['what was asked for', 5, 2, 2, { workers: 5, threads: 2 }],
  ['one thread unless said', 5, 'auto', 16, { workers: 5, threads: 1 }],
] as const)('%s', (_, workers, threads, processors, shape) => {
  expect(chooseShape({ workers, threads }, processors)).toEqual(shape);
});

test('several threads give the answers of one', async () => {
  const answers: string[] = [];
  for (const threads of [1, 2]) {
    await using loaded = await load(stateDir, 'efficientnet-lite0', { threads });
    expect(loaded.warnings).toEqual([]);
    answers.push(await classifyPhoto(loaded));
  }
  expect(answers[1]).toBe(answers[0]);
});
