import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeModel } from '../../scripts/onnx-writer.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  buildGraph,
  type Classifier,
  classifier,
  type FolderChanges,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { post } from './classify.ts';
import { temporaryFolder } from './temporary-folder.ts';

interface Refused {
  readonly model: Partial<Classifier>;
  readonly changes?: FolderChanges;
  /** Every text must stand in the one problem that is reported. */
  readonly says: readonly string[];
}

const plainModel = encodeModel(buildGraph(classifier()));
const input = (difference: object): FolderChanges => ({
  manifest: (manifest) => ({ ...manifest, input: { ...manifest.input, ...difference } }),
});
const image = oneColourBmp([200, 100, 50]);
const golden = (top: { name: string; score: number }[], cropSha256?: string): FolderChanges => ({
  manifest: (manifest) => ({
    ...manifest,
    golden: {
      scoreTolerance: 1e-4,
      examples: [{ image: 'g.bmp', top, ...(cropSha256 === undefined ? {} : { cropSha256 }) }],
    },
  }),
  files: { 'g.bmp': image },
});

/** Models whose files are intact and whose manifest is valid, but which do not fit together. */
const refused: Record<string, Refused> = {
  'two-inputs': {
    model: { hasSecondInput: true },
    says: ['expected a graph with one input', 'found 2: image, size'],
  },
  'input-name': {
    model: { inputName: 'input:0' },
    changes: input({ name: 'x' }),
    says: ['the manifest says "x"', 'the graph has "input:0"'],
  },
  'input-type': {
    model: { elementType: 'float16' },
    changes: input({ elementType: 'float32' }),
    says: ['input image', 'the manifest says float32', 'the graph takes float16'],
  },
  layout: {
    model: {},
    changes: input({ layout: 'nhwc' }),
    says: ['nhwc [N, 24, 24, 3]', 'the graph takes [N, 3, 24, 24]'],
  },
  'layout-of-free-sides': {
    model: { batch: '', weights: [[1], [2]], bias: [0, 0], layout: 'nhwc' },
    changes: input({ layout: 'nchw' }),
    says: ['nchw [N, 1, 24, 24]', 'the graph takes [?, 24, 24, 1]'],
  },
  sides: {
    model: {},
    changes: {
      manifest: (manifest) => ({
        ...manifest,
        input: { ...manifest.input, width: 32 },
        preprocessing: {
          ...manifest.preprocessing,
          resize: { mode: 'stretch', width: 32, height: 24 },
        },
      }),
    },
    says: ['[N, 3, 24, 32]', '[N, 3, 24, 24]'],
  },
  channels: {
    model: { weights: [[1], [2]], bias: [0, 0] },
    changes: {
      manifest: (manifest) => ({
        ...manifest,
        input: { ...manifest.input, colour: 'rgb' },
        preprocessing: {
          ...manifest.preprocessing,
          normalise: { mean: [0, 0, 0], std: [1, 1, 1] },
        },
      }),
    },
    says: ['[N, 3, 24, 24]', '[N, 1, 24, 24]'],
  },
  'output-name': {
    model: {},
    changes: {
      manifest: (manifest) => ({ ...manifest, output: { ...manifest.output, name: 'probs' } }),
    },
    says: ['the manifest says "probs"', 'the graph has "logits"'],
  },
  'output-type': {
    model: { outputType: 'double' },
    says: ['output logits', 'expected float32 or float16', 'float64'],
  },
  'output-shape': {
    model: { outputRank: 3 },
    says: ['output logits', 'expected [N, classes] or [N, classes, 1, 1]', '[N, 3, 1]'],
  },
  'too-few-labels': {
    model: {},
    changes: { files: { 'labels.en.json': '["a", "b"]' } },
    says: ['labels.en.json', "a name for each of the graph's 3 classes", 'found 2'],
  },
  'cut-short': {
    model: {},
    changes: { files: { 'model.onnx': plainModel.subarray(0, -20) } },
    says: ['model.onnx', 'expected an ONNX model', 'cut short'],
  },
  'not-a-model': {
    model: {},
    changes: { files: { 'model.onnx': 'PNG' } },
    says: ['model.onnx', 'expected an ONNX model', 'not one'],
  },
  'empty-model': {
    model: {},
    changes: { files: { 'model.onnx': '' } },
    says: ['model.onnx', 'expected an ONNX model'],
  },
  'unknown-operator-set': {
    model: {},
    changes: {
      files: { 'model.onnx': encodeModel({ ...buildGraph(classifier()), opset: 99 }) },
    },
    says: ['model.onnx', 'opset'],
  },
  'external-data-too-short': {
    model: { externalData: 'weights.bin' },
    changes: { files: { 'weights.bin': 'short' } },
    says: ['model.onnx', 'weights lie in a further file', 'too short'],
  },
  'golden-class': {
    model: {},
    changes: golden([{ name: 'class 2', score: 0.9 }]),
    says: ['golden example g.bmp', 'expected "class 2" with 0.9', 'in place 1', 'found "class 0"'],
  },
  'golden-score': {
    model: {},
    changes: golden([{ name: 'class 0', score: 0.5 }]),
    says: ['golden example g.bmp', 'expected "class 0" with 0.5', 'found 0.8'],
  },
  'golden-crop': {
    model: {},
    changes: golden([{ name: 'class 0', score: 0.86 }], '0'.repeat(64)),
    says: ['golden example g.bmp', 'SHA-256 0000', 'preprocessing differs from training'],
  },
  'golden-image-unreadable': {
    model: {},
    changes: {
      ...golden([{ name: 'class 0', score: 0.86 }]),
      files: { 'g.bmp': 'no picture' },
    },
    says: ['golden example g.bmp', 'expected an answer'],
  },
};

const folder = await temporaryFolder();
let running: TestServer;
let reported: Map<string, { state: string; problems?: string[] }>;
beforeAll(async () => {
  const folders: Record<string, string> = {};
  for (const [name, { model, changes }] of Object.entries(refused)) {
    folders[name] = await writeClassifier(join(folder, name), classifier(model), changes);
  }
  folders.good = await writeClassifier(join(folder, 'good'), classifier());
  running = await startTestServer({ ...serveFlags(folders), 'state-dir': unpreparedStateDir });
  const response = await fetch(`${running.adminUrl}/readyz`);
  expect(response.status).toBe(503);
  const { services } = (await response.json()) as {
    services: { deployName: string; state: string; problems?: string[] }[];
  };
  reported = new Map(services.map((service) => [service.deployName, service]));
});
afterAll(() => running[Symbol.asyncDispose]());

test.each(Object.keys(refused))('%s: not ready, and the problem names both sides', (name) => {
  const { state, problems = [] } = reported.get(name) ?? { state: 'missing' };
  expect(state).toBe('failed');
  expect(problems).toHaveLength(1);
  for (const part of refused[name]?.says ?? []) {
    expect(problems[0]).toContain(part);
  }
});

test('a model that is not ready answers 336100 and when to come back', async () => {
  const response = await post(running.url, 'golden-class', image);
  expect(response.status).toBe(200);
  expect(response.headers.get('Retry-After')).toBe('60');
  expect(await response.json()).toMatchObject({
    error_code: 336100,
    error_detail: expect.stringContaining('golden example g.bmp'),
  });
});

test('the good model beside them answers', async () => {
  const response = await post(running.url, 'good', image);
  expect(await response.json()).toHaveProperty('results.0.name', 'class 0');
});
