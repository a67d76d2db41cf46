import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Colour, oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  type Classifier,
  channelsOf,
  classifier,
  NORMALISE,
  seededWeights,
  serveFlags,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { classify } from './classify.ts';

const colour = seededWeights(7, 11, 3);
const grey = seededWeights(8, 11, 1);
const FLOAT16 = 1e-3; // half precision keeps 11 bits

/** Every shape of model that a manifest can describe: deploy name, model, tolerance of scores. */
const models: Record<string, { model: Classifier; tolerance?: number }> = {
  plain: { model: classifier(colour) },
  nhwc: { model: classifier({ ...colour, layout: 'nhwc' }) },
  'one-channel': { model: classifier(grey) },
  'one-channel-nhwc': { model: classifier({ ...grey, layout: 'nhwc' }) },
  'fixed-batch': { model: classifier({ ...colour, batch: 1 }) },
  'batch-of-four': { model: classifier({ ...colour, batch: 4 }) },
  'batch-of-four-nhwc': { model: classifier({ ...colour, batch: 4, layout: 'nhwc' }) },
  'nameless-free-dims': { model: classifier({ ...colour, batch: '', hasFreeSides: true }) },
  'four-dims-out': { model: classifier({ ...colour, outputRank: 4 }) },
  'four-dims-out-batch-of-four': { model: classifier({ ...colour, outputRank: 4, batch: 4 }) },
  'ends-in-softmax': { model: classifier({ ...colour, ending: 'Softmax' }) },
  'names-with-colons': {
    model: classifier({ ...colour, inputName: 'input:0', outputName: 'out:1' }),
  },
  'names-are-numbers': { model: classifier({ ...colour, inputName: '0', outputName: '1' }) },
  'float16-in': { model: classifier({ ...colour, elementType: 'float16' }), tolerance: FLOAT16 },
  'float16-out': { model: classifier({ ...colour, outputType: 'float16' }), tolerance: FLOAT16 },
  'float16-both-nhwc-batch': {
    model: classifier({
      ...colour,
      elementType: 'float16',
      outputType: 'float16',
      outputRank: 4,
      layout: 'nhwc',
      batch: 4,
    }),
    tolerance: FLOAT16,
  },
  // Pixels come as they are, 0 to 255: small weights keep the softmax from saturating.
  'uint8-in': { model: classifier({ ...shrink(colour), elementType: 'uint8' }) },
  'uint8-in-nhwc': {
    model: classifier({ ...shrink(colour), elementType: 'uint8', layout: 'nhwc' }),
  },
  'uint8-in-grey': { model: classifier({ ...shrink(grey), elementType: 'uint8' }) },
  'external-data': { model: classifier({ ...colour, externalData: 'weights.bin' }) },
  'one-class': { model: classifier({ weights: [[1, 2, 3]], bias: [4] }) },
};

let folder: string;
let running: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-infer-models-'));
  const folders: Record<string, string> = {};
  for (const [name, { model }] of Object.entries(models)) {
    folders[name] = await writeClassifier(join(folder, name), model);
  }
  running = await startTestServer(serveFlags(folders));
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('every model is ready', async () => {
  const response = await fetch(`${running.adminUrl}/readyz`);
  const { services } = (await response.json()) as { services: { problems?: string[] }[] };
  expect(services.flatMap(({ problems }) => problems ?? [])).toEqual([]);
  expect(response.status).toBe(200);
});

const colours: Colour[] = [
  [200, 100, 50],
  [0, 255, 3],
];

test.each(Object.keys(models))('%s answers what its weights say', async (name) => {
  const { model, tolerance = 1e-6 } = models[name] ?? { model: classifier() };
  for (const each of colours) {
    const shown: Colour = channelsOf(model) === 1 ? [each[0], each[0], each[0]] : each;
    const expected = expectedScores(model, shown);
    const { results } = await classify(running.url, name, oneColourBmp(shown), 1000);
    expect(results).toHaveLength(expected.length);
    for (const [place, { name: className, score }] of (results ?? []).entries()) {
      expect(className).toBe(`class ${expected[place]?.classIndex}`);
      expect(Math.abs(score - (expected[place]?.score ?? Number.NaN))).toBeLessThan(tolerance);
    }
  }
});

function shrink({ weights, bias }: Pick<Classifier, 'weights' | 'bias'>) {
  return { weights: weights.map((row) => row.map((weight) => weight / 100)), bias };
}

/** All classes with their probabilities, best first, in double precision from the definition. */
function expectedScores(model: Classifier, shown: Colour) {
  const inputs = shown.slice(0, channelsOf(model)).map((level, channel) => {
    const mean = NORMALISE.mean[channel] ?? Number.NaN;
    const std = NORMALISE.std[channel] ?? Number.NaN;
    return model.elementType === 'uint8' ? level : (level - mean) / std;
  });
  const logits = model.weights.map((row, classIndex) =>
    row.reduce(
      (sum, weight, channel) => sum + weight * (inputs[channel] ?? Number.NaN),
      model.bias[classIndex] ?? Number.NaN,
    ),
  );
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits
    .map((logit, classIndex) => ({ classIndex, score: Math.exp(logit) / total }))
    .sort((a, b) => b.score - a.score);
}
