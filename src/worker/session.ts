import type { Tensor as OrtTensor, InferenceSession as Session } from 'onnxruntime-node';
import { err, ok, type Result } from '../core/result.ts';
import type { Device, ModelSetup, SessionDescription } from '../inference/protocol.ts';
import { hasCudaProvider } from '../platform/cuda-provider.ts';
import { findOutputMismatch, type InputPlan, planInput } from './graph-shape.ts';
import { InferenceSession, Tensor } from './onnxruntime.ts';

/** The memory an image is written into: `[N, C, H, W]` or `[N, H, W, C]`, C 3 or 1, float16 as its bits. */
type TensorData = Float32Array | Uint16Array | Uint8Array;

/** A model loaded in this thread, with one input tensor that every run reuses. */
export interface LoadedSession {
  readonly description: SessionDescription;
  /** The first image's part of the input tensor; fill it, then call `run`. */
  readonly input: TensorData;
  /** The scores or logits of the first image, valid until the next run. */
  run(): Promise<Float32Array>;
}

interface OpenedSession {
  readonly session: Session;
  readonly device: Device;
  readonly deviceReason: string;
  readonly isPrepared: boolean;
}

/**
 * Loads the model on the best device that the preference allows, checks the graph against the
 * manifest and runs it once, so that nothing is left to find out when the first request comes.
 * `cuda` never falls back. The error is one sentence for the operator.
 */
export async function loadSession(setup: ModelSetup): Promise<Result<LoadedSession, string>> {
  if (setup.device === 'cpu') {
    return prove(setup, await openOnCpu(setup, 'the configuration asks for the CPU'));
  }
  if (setup.needsDevice === 'cpu') {
    return prove(setup, await openOnCpu(setup, `variant ${setup.manifest.variant} needs the CPU`));
  }
  // A card that opens a session but cannot run it is of no use either.
  const onCuda = await prove(setup, await openOnCuda(setup));
  if (onCuda.ok || setup.device === 'cuda') {
    return onCuda;
  }
  return prove(setup, await openOnCpu(setup, onCuda.error));
}

/** Checks an opened graph against the manifest and runs it once. */
export async function prove(
  setup: Pick<ModelSetup, 'manifest'>,
  opened: Result<OpenedSession, string>,
): Promise<Result<LoadedSession, string>> {
  if (!opened.ok) {
    return opened;
  }
  const { session, device, deviceReason, isPrepared } = opened.value;
  const plan = planInput(session.inputMetadata, setup.manifest);
  if (!plan.ok) {
    return plan;
  }
  const mismatch = findOutputMismatch(session.outputMetadata, setup.manifest);
  if (mismatch !== undefined) {
    return err(mismatch);
  }
  const { name: outputName } = setup.manifest.output;
  const { tensor, data } = createInputTensor(plan.value);
  const feeds = { [setup.manifest.input.name]: tensor };

  async function runGraph(): Promise<Result<Float32Array, string>> {
    const outputs = await session.run(feeds, [outputName]);
    const output = outputs[outputName] as OrtTensor;
    return readScores(output, plan.ok ? plan.value.batch : 1, outputName);
  }

  let classCount: number;
  try {
    const warmUp = await runGraph();
    if (!warmUp.ok) {
      return warmUp;
    }
    classCount = warmUp.value.length;
  } catch (error) {
    return err(`${setup.manifest.model}: a trial run failed: ${(error as Error).message}`);
  }

  return ok({
    description: { device, deviceReason, classCount, isPrepared },
    input: data.subarray(0, data.length / plan.value.batch),
    async run() {
      const scores = await runGraph();
      if (!scores.ok) {
        throw new Error(scores.error);
      }
      return scores.value;
    },
  });
}

async function openOnCuda(setup: ModelSetup): Promise<Result<OpenedSession, string>> {
  if (!hasCudaProvider()) {
    return err('CUDA is not available: this installation has no CUDA execution provider');
  }
  try {
    const session = await InferenceSession.create(setup.modelFile, {
      executionProviders: ['cuda', 'cpu'],
      graphOptimizationLevel: 'all',
    });
    return ok({
      session,
      device: 'cuda',
      deviceReason: 'CUDA works on this host',
      isPrepared: false,
    });
  } catch (error) {
    return err(`CUDA is not available: ${(error as Error).message}`);
  }
}

export const cpuSessionOptions = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
} as const satisfies Session.SessionOptions;

/** Threads that wait for work must not spin: other workers need the processors. */
function onThreads(threads: number): Session.SessionOptions {
  return {
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

/** A prepared graph is optimised already; doing it again would copy its mapped weights. */
export const preparedSessionOptions = {
  ...cpuSessionOptions,
  graphOptimizationLevel: 'disabled',
} as const satisfies Session.SessionOptions;

/** Loads the prepared form or, where that fails, the model's own file, which only takes more memory. */
async function openOnCpu(
  setup: ModelSetup,
  deviceReason: string,
): Promise<Result<OpenedSession, string>> {
  let reason = deviceReason;
  if (setup.preparedFile !== undefined) {
    try {
      const session = await InferenceSession.create(setup.preparedFile, {
        ...preparedSessionOptions,
        ...onThreads(setup.threads),
      });
      return ok({ session, device: 'cpu', deviceReason, isPrepared: true });
    } catch (error) {
      reason += `; the model's prepared form cannot be loaded, so its own file is used: ${(error as Error).message}`;
    }
  }
  try {
    const session = await InferenceSession.create(setup.modelFile, {
      ...cpuSessionOptions,
      ...onThreads(setup.threads),
    });
    return ok({ session, device: 'cpu', deviceReason: reason, isPrepared: false });
  } catch (error) {
    return err(describeLoadError(setup.manifest.model, error as Error));
  }
}

/** onnxruntime's own words, with what an operator can do about the causes seen in the field. */
export function describeLoadError(modelFile: string, error: Error): string {
  const message = error.message.replace(/\s+/g, ' ').trim();
  if (/protobuf parsing failed|does not have a graph/i.test(message)) {
    return `${modelFile}: expected an ONNX model, found a file that is not one or is cut short`;
  }
  if (/external data|external initializer/i.test(message)) {
    return `${modelFile}: its weights lie in a further file (external data) that is missing, too short or outside the model's folder; put that file beside the model and into the manifest's "files" (${message})`;
  }
  if (/opset|no op registered/i.test(message)) {
    return `${modelFile}: it needs operators that this onnxruntime does not have; export it with opset 17 or another that this version knows (${message})`;
  }
  return `${modelFile}: onnxruntime cannot load it: ${message}`;
}

function createInputTensor(plan: InputPlan): { tensor: OrtTensor; data: TensorData } {
  const length = plan.dims.reduce((product, dim) => product * dim, 1);
  switch (plan.elementType) {
    case 'float32': {
      const data = new Float32Array(length);
      return { tensor: new Tensor('float32', data, plan.dims), data };
    }
    case 'uint8': {
      const data = new Uint8Array(length);
      return { tensor: new Tensor('uint8', data, plan.dims), data };
    }
    case 'float16': {
      const data = new Uint16Array(length);
      return { tensor: new Tensor('float16', data, plan.dims), data };
    }
  }
}

/** The first image's row of an output `[N, C]` or `[N, C, 1, 1]`. */
function readScores(
  output: OrtTensor,
  batch: number,
  outputName: string,
): Result<Float32Array, string> {
  const [rows, classes] = output.dims;
  const isRanking = output.dims.length === 2 || output.dims.length === 4;
  if (!isRanking || rows !== batch || !output.dims.slice(2).every((dim) => dim === 1)) {
    return err(
      `output ${outputName}: expected [${batch}, classes] or [${batch}, classes, 1, 1], the graph gives [${output.dims.join(', ')}]`,
    );
  }
  const { data, type } = output;
  if (type === 'float32' && data instanceof Float32Array) {
    return ok(data.subarray(0, classes));
  }
  if (type === 'float16' && data instanceof Uint16Array) {
    return ok(Float32Array.from(data.subarray(0, classes), decodeFloat16));
  }
  return err(`output ${outputName}: onnxruntime gives ${type} as ${data.constructor.name}`);
}

const float16View = new DataView(new ArrayBuffer(2));

function decodeFloat16(bits: number): number {
  float16View.setUint16(0, bits);
  return float16View.getFloat16(0);
}
