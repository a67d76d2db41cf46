import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  classifier,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { classify, post } from './classify.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = await temporaryFolder();
const grey = oneColourBmp([128, 128, 128]);
const constant = (...bias: number[]) => ({ weights: bias.map(() => [0, 0, 0]), bias });
const names = ['[default]', '吸尘器', 'holds error_code inside', 'quote " and \\ and \u2028'];

let running: TestServer;
beforeAll(async () => {
  const folders = {
    'sometimes-nan': await writeClassifier(
      join(folder, 'sometimes-nan'),
      // Log of a negative mean: NaN for dark images only, and not for the best class.
      classifier({
        weights: [
          [0, 0, 0],
          [1, 0, 0],
        ],
        bias: [50, 0],
        ending: 'Log',
      }),
    ),
    'always-nan': await writeClassifier(
      join(folder, 'always-nan'),
      classifier({ ...constant(1, Number.NaN, 2) }),
    ),
    'infinite-logit': await writeClassifier(
      join(folder, 'infinite-logit'),
      classifier(constant(1, Number.POSITIVE_INFINITY)),
    ),
    'infinite-score': await writeClassifier(
      join(folder, 'infinite-score'),
      classifier(constant(1, Number.NEGATIVE_INFINITY)),
      {
        manifest: (manifest) => ({
          ...manifest,
          output: { ...manifest.output, activation: 'none' },
        }),
      },
    ),
    'one-impossible-class': await writeClassifier(
      join(folder, 'one-impossible-class'),
      classifier(constant(2, Number.NEGATIVE_INFINITY, 1)),
    ),
    'huge-logits': await writeClassifier(
      join(folder, 'huge-logits'),
      classifier(constant(3e38, -3e38, 3e38)),
    ),
    ties: await writeClassifier(
      join(folder, 'ties'),
      classifier(constant(1, 5, 1, 5, 1, 5, 1, 1, 1)),
    ),
    sigmoid: await writeClassifier(join(folder, 'sigmoid'), classifier(constant(-1000, 0, 1000)), {
      manifest: (manifest) => ({
        ...manifest,
        output: { ...manifest.output, activation: 'sigmoid' },
      }),
    }),
    names: await writeClassifier(join(folder, 'names'), classifier(constant(4, 3, 2, 1)), {
      manifest: (manifest) => ({ ...manifest, labels: { zh: 'zh.txt', en: 'labels.en.json' } }),
      files: { 'zh.txt': `\uFEFF${names.join('\r\n')}\r\n` },
    }),
  };
  running = await startTestServer({ ...serveFlags(folders), 'state-dir': unpreparedStateDir });
});
afterAll(() => running[Symbol.asyncDispose]());

test('answers 336000 where a score is not a number, and other requests as ever', async () => {
  const bright = oneColourBmp([250, 0, 0]);
  const dark = oneColourBmp([0, 0, 0]);
  const answers = await Promise.all(
    [bright, dark, bright, dark, bright].map((image) =>
      classify(running.url, 'sometimes-nan', image, 1),
    ),
  );
  expect(answers.map(({ error_code, results }) => error_code ?? results?.[0]?.name)).toEqual([
    'class 0',
    336000,
    'class 0',
    336000,
    'class 0',
  ]);
  expect(answers[1]?.error_detail).toContain('not a finite number');
});

test.each(['always-nan', 'infinite-logit', 'infinite-score'])(
  '%s is answered with 336000 even where only the best class is asked for',
  async (name) => {
    expect((await classify(running.url, name, grey, 1)).error_code).toBe(336000);
  },
);

test('a logit of minus infinity is a score of zero', async () => {
  const { results } = await classify(running.url, 'one-impossible-class', grey);
  expect(results?.map(({ name }) => name)).toEqual(['class 0', 'class 2', 'class 1']);
  expect(results?.[2]?.score).toBe(0);
});

test('logits near the limit of float32 do not overflow', async () => {
  const { results } = await classify(running.url, 'huge-logits', grey);
  expect(results?.map(({ score }) => score)).toEqual([0.5, 0.5, 0]);
});

test.each([
  [1, [1]],
  [3, [1, 3, 5]],
  [5, [1, 3, 5, 0, 2]],
  [1e9, [1, 3, 5, 0, 2, 4, 6, 7, 8]],
])('equal scores keep class order: top_num %d', async (topNum, classes) => {
  const { results } = await classify(running.url, 'ties', grey, topNum);
  expect(results?.map(({ name }) => name)).toEqual(classes.map((index) => `class ${index}`));
});

test('sigmoid scores stand for themselves', async () => {
  const { results } = await classify(running.url, 'sigmoid', grey);
  expect(results?.map(({ score }) => score)).toEqual([1, 0.5, 0]);
});

test('class names of the default language pass through as they are', async () => {
  const { results } = await classify(running.url, 'names', grey);
  expect(results?.map(({ name }) => name)).toEqual(names);
});

test('a class name that holds error_code does not make the answer look like an error', async () => {
  const text = await (await post(running.url, 'names', grey)).text();
  expect(text).toContain('holds error\\u005fcode inside');
  expect(text).not.toContain('error_code');
});
