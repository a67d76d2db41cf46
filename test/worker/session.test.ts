import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeModel, float32Bytes, type OnnxGraph } from '../../scripts/onnx-writer.ts';
import { manifestSchema } from '../../src/catalog/manifest.ts';
import { prepareInProcess } from '../../src/inference/prepare-model.ts';
import { type LoadedSession, loadSession } from '../../src/worker/session.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import {
  buildGraph,
  type Classifier,
  classifier,
  describeClassifier,
  SIDE,
} from '../support/onnx-model.ts';
import { packageRoot } from '../support/server.ts';

const folder = await temporaryFolder();
const PIXELS = SIDE * SIDE;
const SHA256 = '0'.repeat(64);

const manifestOf = (model: Classifier) =>
  manifestSchema.parse({
    ...describeClassifier(model),
    files: { 'model.onnx': SHA256, 'labels.en.json': SHA256 },
  });

async function load(
  model: Classifier,
  { graph = buildGraph(model), preparedFile }: { graph?: OnnxGraph; preparedFile?: string } = {},
) {
  const modelFile = join(folder, 'model.onnx');
  await writeFile(modelFile, encodeModel(graph));
  const manifest = manifestOf(model);
  return loadSession({ modelFile, preparedFile, manifest, device: 'cpu', threads: 1 });
}

async function loaded(...args: Parameters<typeof load>): Promise<LoadedSession> {
  const session = await load(...args);
  if (!session.ok) {
    throw new Error(session.error);
  }
  return session.value;
}

test.each(['float32', 'float16', 'uint8'] as const)(
  'a %s input tensor is filled again for each run',
  async (elementType) => {
    const session = await loaded(classifier({ elementType }));
    expect(session.input).toHaveLength(3 * PIXELS);
    const bitsOf = { float32: [1, 2], float16: [0x3c00, 0x4000], uint8: [1, 2] }[elementType];
    for (const [index, bits] of bitsOf.entries()) {
      session.input.fill(bits);
      expect([...(await session.run())]).toEqual([index + 1, index + 1, index + 1]);
    }
  },
);

test('a fixed batch is filled in its first place and read from it', async () => {
  const session = await loaded(classifier({ batch: 4, outputRank: 4 }));
  expect(session.input).toHaveLength(3 * PIXELS);
  session.input.fill(5);
  expect([...(await session.run())]).toEqual([5, 5, 5]);
  expect(session.description.classCount).toBe(3);
});

test('scores may be overwritten without changing a graph that answers a constant', async () => {
  const model = classifier();
  const graph: OnnxGraph = {
    ...buildGraph({ ...model, batch: 1 }),
    nodes: [{ type: 'Relu', inputs: ['image'], outputs: ['unused'] }],
    initializers: [
      { name: 'logits', elementType: 'float32', dims: [1, 3], data: float32Bytes([1, 2, 3]) },
    ],
  };
  const session = await loaded(model, { graph });
  for (let run = 0; run < 3; run++) {
    const scores = await session.run();
    expect([...scores]).toEqual([1, 2, 3]);
    scores.fill(9);
  }
});

test('weights that old exporters list among the inputs are no inputs', async () => {
  const model = classifier();
  const graph = buildGraph(model);
  const listed = (graph.initializers ?? []).map(({ name, elementType, dims }) => ({
    name,
    elementType,
    dims,
  }));
  const session = await loaded(model, {
    graph: { ...graph, inputs: [...graph.inputs, ...listed] },
  });
  session.input.fill(2);
  expect([...(await session.run())]).toEqual([2, 2, 2]);
});

test('a prepared form that cannot be loaded is passed over, and said to be', async () => {
  const preparedFile = join(folder, 'damaged.onnx');
  await writeFile(preparedFile, 'no graph');
  const session = await loaded(classifier(), { preparedFile });
  expect(session.description.deviceReason).toMatch(/prepared form cannot be loaded.*own file/);
  session.input.fill(3);
  expect([...(await session.run())]).toEqual([3, 3, 3]);
});

test('a prepared form answers as the model does', async () => {
  await load(classifier()); // writes the model
  const targetFolder = join(folder, 'form');
  await mkdir(targetFolder);
  const modelFile = join(folder, 'model.onnx');
  const task = { modelFile, manifest: manifestOf(classifier()), targetFolder };
  expect(await prepareInProcess(task)).toEqual({ ok: true, value: true });
  const preparedFile = join(targetFolder, 'graph.onnx');
  const session = await loaded(classifier(), { preparedFile });
  expect(session.description.deviceReason).toBe('the configuration asks for the CPU');
  session.input.fill(4);
  expect([...(await session.run())]).toEqual([4, 4, 4]);
});

test('a form that cannot be prepared is a reason, not an exception', async () => {
  const modelFile = join(folder, 'no-model.onnx');
  await writeFile(modelFile, 'no graph');
  const manifest = manifestOf(classifier());
  expect(await prepareInProcess({ modelFile, manifest, targetFolder: folder })).toEqual({
    ok: false,
    error: expect.stringContaining('expected an ONNX model'),
  });
});

test('a form that answers differently from its model is not used', async () => {
  const graph = buildGraph(classifier());
  const nodes = graph.nodes.map((node) =>
    node.type === 'Identity' ? { ...node, type: 'RandomUniformLike' } : node,
  );
  const modelFile = join(folder, 'random.onnx');
  await writeFile(modelFile, encodeModel({ ...graph, nodes }));
  const manifest = manifestOf(classifier());
  expect(await prepareInProcess({ modelFile, manifest, targetFolder: folder })).toEqual({
    ok: false,
    error: 'it answers differently from the model itself',
  });
});

test('a graph that fails when it runs is refused before any request comes', async () => {
  const model = classifier({ hasFreeSides: true });
  const graph = buildGraph(model);
  // Free sides hide until the first run that the shape asked for is impossible.
  const nodes = graph.nodes.map((node) =>
    node.type === 'GlobalAveragePool' ? { ...node, type: 'Identity' } : node,
  );
  expect(await load(model, { graph: { ...graph, nodes } })).toEqual({
    ok: false,
    error: expect.stringMatching(/model\.onnx: a trial run failed: /),
  });
});

test('a form for which there is no room is a reason, not an exception', () => {
  // The shell limits the size of files, as a full disk would; blocks of 512 bytes or a KiB.
  const task = JSON.stringify({
    modelFile: join(packageRoot, 'models/efficientnet-lite0/model.onnx'),
    manifest: manifestOf(classifier()),
    targetFolder: folder,
  });
  const program = `import { prepareInProcess } from '${packageRoot}src/inference/prepare-model.ts';
    console.log(JSON.stringify(await prepareInProcess(${task})));`;
  const { stdout } = spawnSync(
    '/bin/sh',
    [
      '-c',
      'ulimit -f 2000; exec "$0" --input-type=module-typescript -e "$1"',
      process.execPath,
      program,
    ],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(stdout)).toEqual({
    ok: false,
    error: `${folder} cannot be written to, or the disk is full`,
  });
});
