/**
 * Makes a model folder with random weights, to measure memory and speed with a model of any size:
 *
 *   node scripts/make-random-model.ts /tmp/models/random 100
 *
 * writes about 100 MB of weights (convolutions, then fully connected layers, 1000 classes, input
 * 224 x 224). The same arguments give the same bytes. It is served like any other:
 *
 *   edge-infer serve --services.0.deploy-name random --services.0.model /tmp/models/random
 *
 * What a further worker really costs is the growth of `Pss` in `/proc/PID/smaps_rollup` from one
 * `--workers` to the next. `Rss` counts the weights, which all workers map, once for each of them.
 * Its answers mean nothing, and the manifest has no golden examples.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type WrittenManifest, writeModelFolder } from './model-folder.ts';
import { encodeModel, float32Bytes, type OnnxInitializer, type OnnxNode } from './onnx-writer.ts';

const SIDE = 224;
const CLASSES = 1000;
const HIDDEN = 1024;
/** Channels after each convolution; all but the first halve the sides. */
const CHANNELS = [32, 64, 128, 256, 512];
const BYTES_PER_MB = 1_000_000;

interface Network {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxInitializer[];
}

/** The graph's bytes, with as many hidden layers as come nearest to `megabytes`. */
function createRandomModel(megabytes: number): Uint8Array {
  const network: Network = { nodes: [], initializers: [] };
  const random = createRandom();
  let value = 'image';
  let channels = 3;
  for (const [index, outputs] of CHANNELS.entries()) {
    value = addConvolution(network, random, value, channels, outputs, index === 0 ? 4 : 2);
    channels = outputs;
  }
  network.nodes.push(
    { type: 'GlobalAveragePool', inputs: [value], outputs: ['pooled'] },
    { type: 'Flatten', inputs: ['pooled'], outputs: ['features'] },
  );
  const withoutHidden = countBytes(network) + 4 * (channels * HIDDEN + HIDDEN * CLASSES);
  const hiddenBytes = 4 * HIDDEN * HIDDEN;
  const hiddenLayers = Math.max(
    0,
    Math.round((megabytes * BYTES_PER_MB - withoutHidden) / hiddenBytes),
  );
  value = addLayer(network, random, 'features', channels, HIDDEN, true);
  for (let layer = 0; layer < hiddenLayers; layer++) {
    value = addLayer(network, random, value, HIDDEN, HIDDEN, true);
  }
  const logits = addLayer(network, random, value, HIDDEN, CLASSES, false);
  return encodeModel({
    ...network,
    inputs: [{ name: 'image', elementType: 'float32', dims: ['N', 3, SIDE, SIDE] }],
    outputs: [{ name: logits, elementType: 'float32', dims: ['N', CLASSES] }],
  });
}

function addConvolution(
  { nodes, initializers }: Network,
  random: (size: number, fanIn: number) => Uint8Array,
  input: string,
  from: number,
  to: number,
  stride: number,
): string {
  const name = `conv${nodes.length}`;
  initializers.push(constant(`${name}.w`, [to, from, 3, 3], random(to * from * 9, from * 9)));
  nodes.push(
    {
      type: 'Conv',
      inputs: [input, `${name}.w`],
      outputs: [name],
      attributes: { kernel_shape: [3, 3], strides: [stride, stride], pads: [1, 1, 1, 1] },
    },
    { type: 'Relu', inputs: [name], outputs: [`${name}.relu`] },
  );
  return `${name}.relu`;
}

function addLayer(
  { nodes, initializers }: Network,
  random: (size: number, fanIn: number) => Uint8Array,
  input: string,
  from: number,
  to: number,
  hasRelu: boolean,
): string {
  const name = hasRelu ? `layer${nodes.length}` : 'logits';
  initializers.push(
    constant(`${name}.w`, [from, to], random(from * to, from)),
    constant(`${name}.b`, [to], random(to, to)),
  );
  nodes.push({ type: 'Gemm', inputs: [input, `${name}.w`, `${name}.b`], outputs: [name] });
  if (!hasRelu) {
    return name;
  }
  nodes.push({ type: 'Relu', inputs: [name], outputs: [`${name}.relu`] });
  return `${name}.relu`;
}

function constant(name: string, dims: readonly number[], data: Uint8Array): OnnxInitializer {
  return { name, elementType: 'float32', dims, data };
}

function countBytes({ initializers }: Network): number {
  return initializers.reduce((sum, { data }) => sum + data.length, 0);
}

/** Weights from a fixed seed, spread so that a layer of `fanIn` inputs keeps its values' size (He). */
function createRandom(): (size: number, fanIn: number) => Uint8Array {
  let state = 0x9e3779b9;
  return (size, fanIn) => {
    const spread = Math.sqrt(6 / fanIn);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = (state / 2 ** 31) * spread;
    }
    return float32Bytes(values);
  };
}

function describeRandomModel(megabytes: number): WrittenManifest {
  return {
    formatVersion: 1,
    name: `random-${megabytes}mb`,
    version: '1',
    description: 'Random weights: for measuring only, its answers mean nothing',
    task: 'image-classification',
    model: 'model.onnx',
    files: {},
    input: { name: 'image', width: SIDE, height: SIDE },
    preprocessing: {
      resize: { mode: 'short-side', size: 256 },
      interpolation: 'bilinear',
      pillow: '>=13',
      crop: { width: SIDE, height: SIDE },
      normalise: { mean: [127, 127, 127], std: [128, 128, 128] },
    },
    output: { name: 'logits', activation: 'softmax' },
    labels: { en: 'labels.en.txt' },
    golden: { scoreTolerance: 0.001, examples: [] },
  };
}

const { positionals } = parseArgs({ allowPositionals: true });
const [folder, size] = positionals;
const megabytes = Number(size);
if (folder === undefined || !(megabytes > 0 && megabytes <= 1500)) {
  console.error('usage: node scripts/make-random-model.ts FOLDER MEGABYTES (1 to 1500)');
  process.exitCode = 64;
} else {
  const model = createRandomModel(megabytes);
  const labels = Array.from({ length: CLASSES }, (_, index) => `class ${index}\n`).join('');
  await writeModelFolder(
    folder,
    describeRandomModel(megabytes),
    new Map([
      ['model.onnx', model],
      ['labels.en.txt', Buffer.from(labels)],
    ]),
  );
  console.log(`${resolve(folder)}: ${(model.length / BYTES_PER_MB).toFixed(1)} MB of model`);
}
