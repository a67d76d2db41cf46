import { float16Bits } from './half-float.ts';
import { openWorkbench } from './kernels.ts';
import type { Pixels } from './pixels.ts';
import type { ColourOrder, NormaliseRecipe } from './recipe.ts';

type TensorElementType = 'float32' | 'float16' | 'uint8';

/** Where a tensor's elements are written; float16 as its bits. */
export type TensorData = Float32Array | Uint16Array | Uint8Array;

export interface TensorOptions {
  /** `nchw`: `[channels, height, width]` an image, `nhwc`: `[height, width, channels]`. */
  readonly layout: 'nchw' | 'nhwc';
  readonly colour: ColourOrder;
  readonly elementType: TensorElementType;
  /**
   * Lists of 1 number (for every channel) or one a channel, in the tensor's channel order. uint8
   * takes the bytes as they are: leave it out.
   */
  readonly normalise?: NormaliseRecipe | undefined;
}

/**
 * Writes a crop's elements into `target` from `offset` (in elements, default 0) on: image `n` of a
 * batch goes to `n` times the elements of one. `target` is a Float32Array, a Uint16Array (float16)
 * or a Uint8Array, as the options' element type asks. A mismatch, a wrong number of channels or too
 * short a target is a fault of the program: `RangeError`.
 */
export type TensorFiller = (crop: Pixels, target: TensorData, offset?: number) => void;

/**
 * Builds a model's tables once: 256 elements a channel, each computed in float32 step by step as
 * torch and numpy do, float16 rounded from that (nearest, ties to even). Throws a `RangeError` when
 * mean or std have a wrong number of entries (the manifest's check comes before).
 */
export function createTensorFiller(options: TensorOptions): TensorFiller {
  const channels = options.colour === 'grey' ? 1 : 3;
  const { BYTES_PER_ELEMENT: elementBytes } = arrayTypes[options.elementType];
  const tableBytes = 256 * elementBytes;
  const tables = new Uint8Array(buildTensorTable(options).buffer);
  // A tensor is some planes, one after the other, of some channels each, side by side.
  const planes = options.layout === 'nchw' ? channels : 1;
  const planeChannels = channels / planes;
  const stepBytes = planeChannels * elementBytes;
  const pixelsAt = tables.length;
  const elementsAt = pixelsAt + pieceLength * channels;

  return (crop, target, offset = 0) => {
    checkTarget(crop, target, offset, channels, options.elementType);
    const { kernels, memory } = openWorkbench();
    const spread = kernels[spreadKernels[options.elementType]];
    const bytes = memory(elementsAt + pieceLength * stepBytes);
    const to = new Uint8Array(target.buffer, target.byteOffset + offset * elementBytes);
    const length = crop.width * crop.height;
    bytes.set(tables);
    for (let from = 0; from < length; from += pieceLength) {
      const count = Math.min(pieceLength, length - from);
      bytes.set(crop.data.subarray(from * channels, (from + count) * channels), pixelsAt);
      for (let plane = 0; plane < planes; plane++) {
        for (let i = 0; i < planeChannels; i++) {
          const channel = plane * planeChannels + i;
          const source = pixelsAt + (options.colour === 'bgr' ? 2 - channel : channel);
          const element = elementsAt + i * elementBytes;
          spread(source, channels, channel * tableBytes, element, stepBytes, count);
        }
        const piece = bytes.subarray(elementsAt, elementsAt + count * stepBytes);
        to.set(piece, (plane * length + from) * stepBytes);
      }
    }
  };
}

/** Every channel's table in one array, the tensor's first channel first: 256 elements each. */
export function buildTensorTable(options: TensorOptions): TensorData {
  const channels = options.colour === 'grey' ? 1 : 3;
  const joined = new arrayTypes[options.elementType](256 * channels);
  for (let channel = 0; channel < channels; channel++) {
    joined.set(buildTable(options, channel, channels), 256 * channel);
  }
  return joined;
}

const arrayTypes = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array } as const;
const spreadKernels = { float32: 'spread4', float16: 'spread2', uint8: 'spread1' } as const;

/** Pixels that go through the kernels' memory at once: few enough to stay in the processor's cache. */
const pieceLength = 8192;

function checkTarget(
  crop: Pixels,
  target: TensorData,
  offset: number,
  channels: number,
  elementType: TensorElementType,
): void {
  if (crop.channels !== channels) {
    throw new RangeError(`expected pixels of ${channels} channels but received ${crop.channels}`);
  }
  if (!(target instanceof arrayTypes[elementType])) {
    throw new RangeError(
      `expected a ${arrayTypes[elementType].name} for ${elementType} but received a ${target.constructor.name}`,
    );
  }
  const needed = offset + crop.width * crop.height * channels;
  if (needed > target.length) {
    throw new RangeError(`expected a target of ${needed} elements but received ${target.length}`);
  }
}

function buildTable(options: TensorOptions, channel: number, channels: number): TensorData {
  const { elementType, normalise } = options;
  if (elementType === 'uint8') return Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const values = new Float32Array(256);
  const mean = entry(normalise?.mean, channel, channels, 'mean', 0);
  const std = entry(normalise?.std, channel, channels, 'std', 1);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    if (normalise?.divideBy !== undefined)
      value = Math.fround(value / Math.fround(normalise.divideBy));
    if (normalise?.multiplyBy !== undefined) {
      value = Math.fround(value * Math.fround(normalise.multiplyBy));
    }
    // A double holds the exact difference, product or (enough of the) quotient of two float32:
    // rounding it once more to float32 gives what float32 arithmetic gives.
    values[byte] = Math.fround(Math.fround(value - mean) / std);
  }
  return elementType === 'float32' ? values : Uint16Array.from(values, float16Bits);
}

function entry(
  list: readonly number[] | undefined,
  channel: number,
  channels: number,
  name: string,
  fallback: number,
): number {
  if (list === undefined) return fallback;
  const value = list.length === 1 ? list[0] : list[channel];
  if (value === undefined || (list.length !== 1 && list.length !== channels)) {
    throw new RangeError(
      `expected 1 or ${channels} numbers for ${name} but received ${list.length}`,
    );
  }
  return Math.fround(value);
}
