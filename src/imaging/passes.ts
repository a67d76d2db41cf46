import { type CoefficientTable, precisionBits } from './coefficients.ts';

/** A rectangle inside a byte buffer: its first byte, and the bytes from one row to the next. */
export interface Area {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly stride: number;
}

const half = 1 << (precisionBits - 1);

// These loops index typed arrays within bounds that the plan guarantees. `as number` says so to the
// compiler at no cost.

/**
 * Resizes `rows` rows to `count` pixels each; the table's source positions count from `firstColumn`,
 * which is where the rows of `source` start.
 */
export function horizontalPass(
  source: Area,
  target: Area,
  rows: number,
  count: number,
  table: CoefficientTable,
  firstColumn: number,
  channels: 1 | 3,
): void {
  if (channels === 1) {
    for (let row = 0; row < rows; row++) greyRow(source, target, row, count, table, firstColumn);
    return;
  }
  for (let row = 0; row < rows; row += 2) {
    const next = Math.min(row + 1, rows - 1);
    rgbRows(source, target, row, next, count, table, firstColumn);
  }
}

/** Two rows of three channels (the last may come twice): a weight is loaded once for both. */
function rgbRows(
  source: Area,
  target: Area,
  row0: number,
  row1: number,
  count: number,
  table: CoefficientTable,
  firstColumn: number,
): void {
  const { starts, sizes, weights, stride } = table;
  const src = source.data;
  const dst = target.data;
  const base = source.offset + row0 * source.stride;
  const apart = (row1 - row0) * source.stride;
  let to = target.offset + row0 * target.stride;
  let to1 = target.offset + row1 * target.stride;
  for (let i = 0; i < count; i++) {
    let from = base + ((starts[i] as number) - firstColumn) * 3;
    let from1 = from + apart;
    const begin = i * stride;
    const end = begin + (sizes[i] as number);
    let red = half;
    let green = half;
    let blue = half;
    let red1 = half;
    let green1 = half;
    let blue1 = half;
    for (let k = begin; k < end; k++) {
      const weight = weights[k] as number;
      red = (red + Math.imul(src[from] as number, weight)) | 0;
      green = (green + Math.imul(src[from + 1] as number, weight)) | 0;
      blue = (blue + Math.imul(src[from + 2] as number, weight)) | 0;
      red1 = (red1 + Math.imul(src[from1] as number, weight)) | 0;
      green1 = (green1 + Math.imul(src[from1 + 1] as number, weight)) | 0;
      blue1 = (blue1 + Math.imul(src[from1 + 2] as number, weight)) | 0;
      from += 3;
      from1 += 3;
    }
    dst[to] = clip(red);
    dst[to + 1] = clip(green);
    dst[to + 2] = clip(blue);
    dst[to1] = clip(red1);
    dst[to1 + 1] = clip(green1);
    dst[to1 + 2] = clip(blue1);
    to += 3;
    to1 += 3;
  }
}

function greyRow(
  source: Area,
  target: Area,
  row: number,
  count: number,
  table: CoefficientTable,
  firstColumn: number,
): void {
  const { starts, sizes, weights, stride } = table;
  const src = source.data;
  const dst = target.data;
  const base = source.offset + row * source.stride;
  const to = target.offset + row * target.stride;
  for (let i = 0; i < count; i++) {
    let from = base + (starts[i] as number) - firstColumn;
    const begin = i * stride;
    const end = begin + (sizes[i] as number);
    let grey = half;
    for (let k = begin; k < end; k++) {
      grey = (grey + Math.imul(src[from] as number, weights[k] as number)) | 0;
      from++;
    }
    dst[to + i] = clip(grey);
  }
}

/** Resizes columns of bytes, channels and all, to `count` rows; rows count from `firstRow`. */
export function verticalPass(
  source: Area,
  target: Area,
  rowBytes: number,
  count: number,
  table: CoefficientTable,
  firstRow: number,
): void {
  const { starts, sizes, weights, stride } = table;
  const src = source.data;
  const dst = target.data;
  const step = source.stride;
  for (let i = 0; i < count; i++) {
    const base = source.offset + ((starts[i] as number) - firstRow) * step;
    const begin = i * stride;
    const end = begin + (sizes[i] as number);
    const to = target.offset + i * target.stride;
    // Four columns at a time share a weight's load: a quarter faster than one.
    let column = 0;
    for (; column + 4 <= rowBytes; column += 4) {
      let from = base + column;
      let sum0 = half;
      let sum1 = half;
      let sum2 = half;
      let sum3 = half;
      for (let k = begin; k < end; k++) {
        const weight = weights[k] as number;
        sum0 = (sum0 + Math.imul(src[from] as number, weight)) | 0;
        sum1 = (sum1 + Math.imul(src[from + 1] as number, weight)) | 0;
        sum2 = (sum2 + Math.imul(src[from + 2] as number, weight)) | 0;
        sum3 = (sum3 + Math.imul(src[from + 3] as number, weight)) | 0;
        from += step;
      }
      dst[to + column] = clip(sum0);
      dst[to + column + 1] = clip(sum1);
      dst[to + column + 2] = clip(sum2);
      dst[to + column + 3] = clip(sum3);
    }
    for (; column < rowBytes; column++) {
      let from = base + column;
      let sum = half;
      for (let k = begin; k < end; k++) {
        sum = (sum + Math.imul(src[from] as number, weights[k] as number)) | 0;
        from += step;
      }
      dst[to + column] = clip(sum);
    }
  }
}

/** Fixed point to a byte: the fraction cut off, values out of range taken to the nearest end. */
function clip(sum: number): number {
  return Math.max(0, Math.min(255, sum >> precisionBits));
}
