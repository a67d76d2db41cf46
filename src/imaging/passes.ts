import { type Area, copyRows, fromRow } from './area.ts';
import { layOutBands, type Passes, pairBytes, type Taps } from './band-layout.ts';
import type { CoefficientTable } from './coefficients.ts';
import { openWorkbench } from './kernels.ts';

/**
 * Resizes in Pillow's fixed point. `source` starts at the first pixel read, `target` at the first one
 * written.
 *
 * The image goes through the kernels' memory in bands of the result's rows. What a band's vertical
 * pass reads stands in a window that slides down the image; the horizontal pass fills the window or
 * comes after the vertical one, as the order asks.
 */
export function runPasses(source: Area, target: Area, passes: Passes): void {
  const { x, y, channels, columns, rows, width, height } = passes;
  const { kernels, memory } = openWorkbench();
  const layout = layOutBands(passes);
  const { xTaps, yTaps, bandRows } = layout;
  const data = memory(layout.byteLength);
  if (x !== undefined) writeTaps(x, xTaps, data);
  if (y !== undefined) writeTaps(y, yTaps, data);
  const window: Area = { data, ...layout.window };
  const staging: Area = { data, ...layout.staging };
  const out: Area = { data, ...layout.out };
  const isVerticalLast = y !== undefined && !(x !== undefined && passes.verticalFirst);
  const sourceRowBytes = columns.count * channels;
  const targetRowBytes = width * channels;

  /** From `staging`. */
  function resizeRows(to: Area, count: number): void {
    const kernel = channels === 3 ? kernels.horizontalRgb : kernels.horizontalGrey;
    const from = staging.offset - columns.start * channels;
    const { starts, weights, pairs } = xTaps;
    kernel(from, staging.stride, to.offset, to.stride, count, starts, weights, pairs, width);
  }

  let windowStart = rows.start;
  let windowEnd = rows.start;
  /** Moves the window to other source rows; both its ends only ever grow. */
  function slideWindow(start: number, end: number): void {
    const kept = Math.max(0, windowEnd - start);
    const keptFrom = window.offset + (start - windowStart) * window.stride;
    data.copyWithin(window.offset, keptFrom, keptFrom + kept * window.stride);
    windowStart = start;
    windowEnd = end;
    const pieceRows = x !== undefined && isVerticalLast ? layout.stagingRows : end - start;
    for (let row = start + kept; row < end; row += pieceRows) {
      const from = fromRow(source, row - rows.start);
      const to = fromRow(window, row - start);
      const count = Math.min(pieceRows, end - row);
      if (x !== undefined && isVerticalLast) {
        copyRows(from, staging, sourceRowBytes, count);
        resizeRows(to, count);
      } else {
        copyRows(from, to, sourceRowBytes, count);
      }
    }
  }

  /** From the window, the result's rows from `row` on. */
  function resizeColumns(to: Area, row: number, count: number): void {
    const from = window.offset - windowStart * window.stride;
    const rowBytes = isVerticalLast ? targetRowBytes : sourceRowBytes;
    const starts = yTaps.starts + row * Int32Array.BYTES_PER_ELEMENT;
    const weights = yTaps.weights + row * yTaps.pairs * pairBytes;
    const { pairs } = yTaps;
    kernels.vertical(
      from,
      window.stride,
      to.offset,
      to.stride,
      rowBytes,
      starts,
      weights,
      pairs,
      count,
    );
  }

  for (let row = 0; row < height; row += bandRows) {
    const count = Math.min(bandRows, height - row);
    if (y === undefined) {
      copyRows(fromRow(source, row), staging, sourceRowBytes, count);
    } else {
      const last = row + count - 1;
      slideWindow(y.starts[row] as number, (y.starts[last] as number) + (y.sizes[last] as number));
      resizeColumns(isVerticalLast ? out : staging, row, count);
    }
    if (!isVerticalLast) resizeRows(out, count);
    copyRows(out, fromRow(target, row), targetRowBytes, count);
  }
}

/** Splits each weight into the parts that the kernels sum apart: `high * 2^15 + low`. */
function writeTaps(table: CoefficientTable, taps: Taps, memory: Uint8Array): void {
  const words = new Int32Array(memory.buffer);
  words.set(table.starts, taps.starts >> 2);
  const { weights, stride } = table;
  let to = taps.weights >> 2;
  for (let row = 0; row < weights.length; row += stride) {
    for (let k = row; k < row + taps.pairs * 2; k += 2) {
      const first = weights[k] as number;
      const second = k + 1 < row + stride ? (weights[k + 1] as number) : 0;
      words[to] = (first & 0x7fff) | ((second & 0x7fff) << 16);
      words[to + 1] = ((first >> 15) & 0xffff) | ((second >> 15) << 16);
      to += 2;
    }
  }
}
