import type { AxisPlan } from './geometry.ts';
import type { Interpolation } from './recipe.ts';

/** Fractional bits of Pillow's 8-bit resampling: 32 minus 8 for the pixel and 2 for overshoot. */
export const precisionBits = 22;

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

/** Bound of the cache, in weights (4 bytes each): about 8 MiB a thread, some 500 usual axes. */
const cacheLimit = 2_000_000;
const cache = new Map<string, CoefficientTable>();
let cachedWeights = 0;

/**
 * Fixed-point weights for resizing an axis, as Pillow's `precompute_coeffs` and
 * `normalize_coeffs_8bpc` (src/libImaging/Resample.c) compute them; only for the wanted positions.
 */
export function coefficientTable(axis: AxisPlan, filter: Interpolation): CoefficientTable {
  const key = [filter, axis.inSize, axis.outSize, axis.from, axis.count].join(' ');
  const known = cache.get(key);
  if (known !== undefined) {
    // Moved to the end: the first entry of the map is the one unused for longest.
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const table = computeTable(axis, filter);
  cachedWeights += table.weights.length;
  cache.set(key, table);
  for (const [oldKey, old] of cache) {
    if (cachedWeights <= cacheLimit || oldKey === key) break;
    cache.delete(oldKey);
    cachedWeights -= old.weights.length;
  }
  return table;
}

function computeTable(axis: AxisPlan, filter: Interpolation): CoefficientTable {
  const { inSize, outSize, from, count } = axis;
  const weigh = filter === 'bilinear' ? bilinear : bicubic;
  const scale = inSize / outSize;
  const filterScale = Math.max(1, scale);
  const support = (filter === 'bilinear' ? 1 : 2) * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const one = 2 ** precisionBits;
  const starts = new Int32Array(count);
  const sizes = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const row = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const size = Math.min(inSize, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < size; k++) {
      const weight = weigh((k + start - centre + 0.5) * inverse);
      row[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < size; k++) {
      const raw = row[k] as number;
      const weight = sum === 0 ? raw : raw / sum;
      weights[i * stride + k] = Math.trunc(weight * one + (weight < 0 ? -0.5 : 0.5));
    }
    starts[i] = start;
    sizes[i] = size;
  }
  return { starts, sizes, weights, stride };
}

function bilinear(at: number): number {
  const x = Math.abs(at);
  return x < 1 ? 1 - x : 0;
}

/** Keys' cubic with a = -0.5, the terms in Pillow's order (the order decides the last bit). */
function bicubic(at: number): number {
  const a = -0.5;
  const x = Math.abs(at);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}
