import type { InferenceSession as Session } from 'onnxruntime-node';
import type { Manifest } from '../catalog/manifest.ts';
import { err, ok, type Result } from '../core/result.ts';

/** The input tensor that the graph and the manifest agree on. */
export interface InputPlan {
  readonly elementType: Manifest['input']['elementType'];
  /** `[N, C, H, W]` or `[N, H, W, C]`. */
  readonly dims: readonly number[];
  /** N: 1, or the graph's own where it is fixed. */
  readonly batch: number;
}

type ValueMetadata = Session.ValueMetadata;
type Dim = number | string;

/** Checks the graph's input against the manifest; the error names both sides. */
export function planInput(
  inputs: readonly ValueMetadata[],
  manifest: Manifest,
): Result<InputPlan, string> {
  const { input } = manifest;
  const [only] = inputs;
  if (inputs.length !== 1 || only === undefined) {
    const names = inputs.map(({ name }) => name).join(', ') || 'none';
    return err(
      `${manifest.model}: expected a graph with one input, found ${inputs.length}: ${names}`,
    );
  }
  if (only.name !== input.name) {
    return err(`input: the manifest says "${input.name}", the graph has "${only.name}"`);
  }
  if (!only.isTensor) {
    return err(`input ${input.name}: expected a tensor, the graph takes something else`);
  }
  if (only.type !== input.elementType) {
    return err(
      `input ${input.name}: the manifest says ${input.elementType}, the graph takes ${only.type}`,
    );
  }
  const channels = input.colour === 'grey' ? 1 : 3;
  const wanted =
    input.layout === 'nchw'
      ? [channels, input.height, input.width]
      : [input.height, input.width, channels];
  const [batchDim, ...imageDims] = only.shape;
  const fits =
    only.shape.length === 4 &&
    wanted.every((size, axis) => typeof imageDims[axis] === 'string' || imageDims[axis] === size);
  if (!fits) {
    return err(
      `input ${input.name}: the manifest says ${input.layout} ${format(['N', ...wanted])}, the graph takes ${format(only.shape)}`,
    );
  }
  const batch = typeof batchDim === 'number' && batchDim > 0 ? batchDim : 1;
  return ok({ elementType: input.elementType, dims: [batch, ...wanted], batch });
}

/** Checks what can be known of the output before the graph has run; the error names both sides. */
export function findOutputMismatch(
  outputs: readonly ValueMetadata[],
  manifest: Manifest,
): string | undefined {
  const { name } = manifest.output;
  const output = outputs.find((candidate) => candidate.name === name);
  if (output === undefined) {
    const names = outputs.map((candidate) => `"${candidate.name}"`).join(', ');
    return `output: the manifest says "${name}", the graph has ${names}`;
  }
  if (!output.isTensor || (output.type !== 'float32' && output.type !== 'float16')) {
    const found = output.isTensor ? output.type : 'something that is no tensor';
    return `output ${name}: expected float32 or float16, the graph gives ${found}`;
  }
  const { shape } = output;
  const isScores = shape.length === 2 || (shape.length === 4 && shape.slice(2).every(isOneOrFree));
  return isScores
    ? undefined
    : `output ${name}: expected [N, classes] or [N, classes, 1, 1], the graph gives ${format(shape)}`;
}

function isOneOrFree(dim: Dim): boolean {
  return dim === 1 || typeof dim === 'string';
}

function format(shape: readonly Dim[]): string {
  return `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]`;
}
