import type { AxisPlan } from './geometry.ts';
import type { Interpolation } from './recipe.ts';

/** Fractional bits of Pillow's 8-bit resampling: 32 minus 8 for the pixel and 2 for overshoot. */
const precisionBits = 22;

/**
 * Weights of the wanted part of a resized axis. Its `i`-th position, counted from the first wanted
 * one, reads `sizes[i]` source pixels from `starts[i]` on.
 */
export interface CoefficientTable {
  readonly starts: Int32Array;
  readonly sizes: Int32Array;
  /** `weights[i * stride + k]`, fixed point with `precisionBits` fractional bits. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Fixed-point weights for resizing an axis, as Pillow's `precompute_coeffs` and
 * `normalize_coeffs_8bpc` (src/libImaging/Resample.c) compute them; only for the wanted positions.
 */
export function coefficientTable(axis: AxisPlan, filter: Interpolation): CoefficientTable {
  const { inSize, outSize, from, count } = axis;
  const scale = inSize / outSize;
  const filterScale = Math.max(1, scale);
  const support = (filter === 'bilinear' ? 1 : 2) * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const weigh = filter === 'bilinear' ? weighBilinear : weighBicubic;
  const one = 2 ** precisionBits;
  const starts = new Int32Array(count);
  const sizes = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const row = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const size = Math.min(inSize, Math.trunc(centre + support + 0.5)) - start;
    const sum = weigh(row, size, start, centre, inverse);
    for (let k = 0; k < size; k++) {
      const raw = row[k] as number;
      const weight = sum === 0 ? raw : raw / sum;
      // An Int32Array cuts the fraction off.
      weights[i * stride + k] = weight * one + (weight < 0 ? -0.5 : 0.5);
    }
    starts[i] = start;
    sizes[i] = size;
  }
  return { starts, sizes, weights, stride };
}

// A loop for each filter: one that calls either takes three times as long, and this runs twice for
// each image.

/** Writes the weights of `size` pixels from `start` on into `row`, and returns their sum. */
function weighBilinear(
  row: Float64Array,
  size: number,
  start: number,
  centre: number,
  inverse: number,
): number {
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const x = Math.abs((k + start - centre + 0.5) * inverse);
    const weight = x < 1 ? 1 - x : 0;
    row[k] = weight;
    sum += weight;
  }
  return sum;
}

/** Keys' cubic with a = -0.5, the terms in Pillow's order (the order decides the last bit). */
function weighBicubic(
  row: Float64Array,
  size: number,
  start: number,
  centre: number,
  inverse: number,
): number {
  const a = -0.5;
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const x = Math.abs((k + start - centre + 0.5) * inverse);
    let weight = 0;
    if (x < 1) weight = ((a + 2) * x - (a + 3)) * x * x + 1;
    else if (x < 2) weight = (((x - 5) * x + 8) * x - 4) * a;
    row[k] = weight;
    sum += weight;
  }
  return sum;
}
