import { type WrittenManifest, writeModelFolder } from '../../scripts/model-folder.ts';
import {
  encodeExternalData,
  encodeModel,
  float32Bytes,
  int64Bytes,
  type OnnxGraph,
  type OnnxInitializer,
  type OnnxNode,
} from '../../scripts/onnx-writer.ts';

/**
 * A classifier small enough to compute by hand: the mean of each channel of its input, times
 * `weights`, plus `bias`.
 */
export interface Classifier {
  /** `[classes][channels]`; one channel makes a grey input. */
  readonly weights: readonly (readonly number[])[];
  /** `[classes]` */
  readonly bias: readonly number[];
  readonly inputName: string;
  readonly elementType: 'float32' | 'float16' | 'uint8';
  readonly layout: 'nchw' | 'nhwc';
  /** A number is a fixed batch, text a free one. */
  readonly batch: number | string;
  /** Free width and height in the graph; the manifest still says them. */
  readonly hasFreeSides: boolean;
  readonly outputName: string;
  readonly outputType: 'float32' | 'float16' | 'double';
  /** 2: `[N, C]`, 3: `[N, C, 1]` (not a legal one), 4: `[N, C, 1, 1]` */
  readonly outputRank: 2 | 3 | 4;
  /** Applied to the result in the graph. */
  readonly ending: 'none' | 'Softmax' | 'Log';
  /** Keeps the weights in this file beside the model. */
  readonly externalData: string | undefined;
  readonly hasSecondInput: boolean;
  /** Rounds of a loop that changes nothing, for each 1 of a best logit above 0; 1e15 are years. */
  readonly idleRounds: number;
}

/** Sides of every test model's input, in pixels. */
export const SIDE = 24;

/** By channel, in the order of the tensor's channels. */
export const NORMALISE = { mean: [10, 20, 30], std: [50, 60, 70] };

const plain: Classifier = {
  weights: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  bias: [0, 0, 0],
  inputName: 'image',
  elementType: 'float32',
  layout: 'nchw',
  batch: 'N',
  hasFreeSides: false,
  outputName: 'logits',
  outputType: 'float32',
  outputRank: 2,
  ending: 'none',
  externalData: undefined,
  hasSecondInput: false,
  idleRounds: 0,
};

/** A classifier that differs from the plainest one in what is given. */
export function classifier(differences: Partial<Classifier> = {}): Classifier {
  return { ...plain, ...differences };
}

/** Weights and biases between -1 and 1, the same for the same seed. */
export function seededWeights(
  seed: number,
  classes: number,
  channels: number,
): Pick<Classifier, 'weights' | 'bias'> {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.fround(state / 2 ** 31);
  };
  return {
    weights: Array.from({ length: classes }, () => Array.from({ length: channels }, next)),
    bias: Array.from({ length: classes }, next),
  };
}

export function channelsOf({ weights }: Classifier): number {
  return weights[0]?.length ?? 0;
}

export function buildGraph(model: Classifier): OnnxGraph {
  const channels = channelsOf(model);
  const classes = model.weights.length;
  const initializers: OnnxInitializer[] = [
    {
      name: 'weights',
      elementType: 'float32',
      dims: [classes, channels],
      data: float32Bytes(model.weights.flat()),
      ...(model.externalData === undefined ? {} : { location: model.externalData }),
    },
    { name: 'bias', elementType: 'float32', dims: [classes], data: float32Bytes(model.bias) },
  ];
  const nodes: OnnxNode[] = [];
  let value = model.inputName;
  const add = (
    type: string,
    further: readonly string[] = [],
    attributes: NonNullable<OnnxNode['attributes']> = {},
  ) => {
    const output = `${type}.${nodes.length}`;
    nodes.push({ type, inputs: [value, ...further], outputs: [output], attributes });
    value = output;
  };
  add('Cast', [], { to: 1 });
  if (model.layout === 'nhwc') {
    add('Transpose', [], { perm: [0, 3, 1, 2] });
  }
  add('GlobalAveragePool');
  add('Flatten');
  add('Gemm', ['weights', 'bias'], { transB: 1 });
  if (model.idleRounds > 0) {
    const scalar = (name: string, value: number) =>
      ({ name, elementType: 'float32', dims: [], data: float32Bytes([value]) }) as const;
    initializers.push(scalar('nothing', 0), scalar('rounds', model.idleRounds));
    nodes.push(
      { type: 'ReduceMax', inputs: [value], outputs: ['best'], attributes: { keepdims: 0 } },
      { type: 'Max', inputs: ['best', 'nothing'], outputs: ['excess'] },
      { type: 'Mul', inputs: ['excess', 'rounds'], outputs: ['turns'] },
      { type: 'Cast', inputs: ['turns'], outputs: ['count'], attributes: { to: 7 } },
    );
    const state = { elementType: 'float32', dims: ['N', classes] } as const;
    const body: OnnxGraph = {
      inputs: [
        { name: 'turn', elementType: 'int64', dims: [] },
        { name: 'goesOn', elementType: 'bool', dims: [] },
        { name: 'before', ...state },
      ],
      nodes: [
        { type: 'Identity', inputs: ['goesOn'], outputs: ['stillGoesOn'] },
        { type: 'Identity', inputs: ['before'], outputs: ['after'] },
      ],
      outputs: [
        { name: 'stillGoesOn', elementType: 'bool', dims: [] },
        { name: 'after', ...state },
      ],
    };
    nodes.push({
      type: 'Loop',
      inputs: ['count', '', value],
      outputs: ['unchanged'],
      attributes: { body: { graph: body } },
    });
    value = 'unchanged';
  }
  if (model.ending === 'Log') {
    add('Log');
  } else if (model.ending === 'Softmax') {
    add('Softmax', [], { axis: 1 });
  }
  if (model.outputRank > 2) {
    const axes = model.outputRank === 3 ? [2] : [2, 3];
    initializers.push({
      name: 'axes',
      elementType: 'int64',
      dims: [axes.length],
      data: int64Bytes(axes),
    });
    add('Unsqueeze', ['axes']);
  }
  if (model.outputType !== 'float32') {
    add('Cast', [], { to: model.outputType === 'float16' ? 10 : 11 });
  }
  nodes.push({ type: 'Identity', inputs: [value], outputs: [model.outputName] });

  const [height, width] = model.hasFreeSides ? ['height', 'width'] : [SIDE, SIDE];
  const imageDims = model.layout === 'nchw' ? [channels, height, width] : [height, width, channels];
  return {
    nodes,
    initializers,
    inputs: [
      { name: model.inputName, elementType: model.elementType, dims: [model.batch, ...imageDims] },
      ...(model.hasSecondInput
        ? [{ name: 'size', elementType: 'float32', dims: ['N', 2] } as const]
        : []),
    ],
    outputs: [
      {
        name: model.outputName,
        elementType: model.outputType,
        dims: [model.batch, classes, 1, 1].slice(0, model.outputRank),
      },
    ],
  };
}

/** The manifest that fits a classifier; its labels are `class 0`, `class 1` and so on. */
export function describeClassifier(model: Classifier): WrittenManifest {
  const channels = channelsOf(model);
  const { mean, std } = NORMALISE;
  return {
    formatVersion: 1,
    name: 'test-model',
    version: '1',
    task: 'image-classification',
    model: 'model.onnx',
    files: {},
    input: {
      name: model.inputName,
      elementType: model.elementType,
      layout: model.layout,
      colour: channels === 1 ? 'grey' : 'rgb',
      width: SIDE,
      height: SIDE,
    },
    preprocessing: {
      resize: { mode: 'stretch', width: SIDE, height: SIDE },
      interpolation: 'bilinear',
      pillow: '>=13',
      ...(model.elementType === 'uint8'
        ? {}
        : { normalise: { mean: mean.slice(0, channels), std: std.slice(0, channels) } }),
    },
    output: {
      name: model.outputName,
      activation: model.ending === 'Softmax' ? 'none' : 'softmax',
    },
    labels: { en: 'labels.en.json' },
    golden: { scoreTolerance: 1e-4, examples: [] },
  };
}

export interface FolderChanges {
  readonly manifest?: (manifest: WrittenManifest) => WrittenManifest;
  /** Further files, or others in place of the usual ones; null leaves a file out. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
}

/** Writes a whole model folder for a classifier; returns its path. */
export async function writeClassifier(
  folder: string,
  model: Classifier,
  changes: FolderChanges = {},
): Promise<string> {
  const graph = buildGraph(model);
  const labels = model.weights.map((_, index) => `class ${index}`);
  const files = new Map<string, Uint8Array>([
    ['model.onnx', encodeModel(graph)],
    ...encodeExternalData(graph),
    ['labels.en.json', Buffer.from(JSON.stringify(labels))],
  ]);
  for (const [name, content] of Object.entries(changes.files ?? {})) {
    if (content === null) {
      files.delete(name);
    } else {
      files.set(name, Buffer.from(content));
    }
  }
  const manifest = describeClassifier(model);
  await writeModelFolder(folder, changes.manifest?.(manifest) ?? manifest, files);
  return folder;
}

/** Flags that serve `folders` under their keys as deploy names, with one worker each. */
export function serveFlags(folders: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(folders).flatMap(([deployName, folder], index) => [
    [`services.${index}.deploy-name`, deployName],
    [`services.${index}.model`, folder],
  ]);
  return { workers: '1', ...Object.fromEntries(entries) };
}

/** A state folder that nothing can be written to: models are served from their own files, sooner. */
export const unpreparedStateDir = '/dev/null/state';
