import type { CoefficientTable } from './coefficients.ts';

/** A run of positions on an axis, in pixels. */
interface Span {
  readonly start: number;
  readonly count: number;
}

/** One or two passes over a part of an image; an axis without a table keeps its length. */
export interface Passes {
  readonly x: CoefficientTable | undefined;
  readonly y: CoefficientTable | undefined;
  readonly verticalFirst: boolean;
  readonly channels: 1 | 3;
  /** What is read of the image. */
  readonly columns: Span;
  readonly rows: Span;
  /** Sides of the result, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** Where a table's taps stand in the kernels' memory, and how many pairs of them a position has. */
export interface Taps {
  readonly starts: number;
  readonly weights: number;
  readonly pairs: number;
}

/** Rows in the kernels' memory, as an area has them. */
interface Rows {
  readonly offset: number;
  readonly stride: number;
}

export interface BandLayout {
  /** Rows of the result that are made at once. */
  readonly bandRows: number;
  readonly xTaps: Taps;
  readonly yTaps: Taps;
  /** What the vertical pass reads. */
  readonly window: Rows;
  /** What the horizontal pass reads, so many rows at once. */
  readonly staging: Rows;
  readonly stagingRows: number;
  /** What the last pass writes. */
  readonly out: Rows;
  readonly byteLength: number;
}

/** Bytes of a pair of taps: two low and two high parts of 16 bits. */
export const pairBytes = 8;

/**
 * Bands are as high as fits into this, so that the memory stays the same from image to image. A single
 * row takes more only where the vertical pass makes it of more than that: never more than an image.
 */
const targetByteLength = 1024 * 1024;

/** Source rows are staged in pieces that stay in the processor's cache. */
const stagingByteLength = 128 * 1024;

/** The most that a kernel reads or writes beyond the bytes it is asked for. */
const slackBytes = 16;

/** Places everything for the highest bands that fit. */
export function layOutBands(passes: Passes): BandLayout {
  const xPairs = pairCount(passes.x);
  const yPairs = pairCount(passes.y);
  let bandRows = passes.height;
  for (;;) {
    const layout = placeBands(passes, bandRows, xPairs, yPairs);
    if (layout.byteLength <= targetByteLength || bandRows === 1) return layout;
    bandRows = Math.ceil(bandRows / 2);
  }
}

function pairCount(table: CoefficientTable | undefined): number {
  let taps = 0;
  if (table !== undefined) for (const size of table.sizes) taps = Math.max(taps, size);
  return (taps + 1) >> 1;
}

function placeBands(passes: Passes, bandRows: number, xPairs: number, yPairs: number): BandLayout {
  const { x, y, channels, verticalFirst, width, height } = passes;
  const sourceRowBytes = passes.columns.count * channels;
  const targetRowBytes = width * channels;
  // A horizontal pass over colour writes a byte beyond each row.
  const paddedRowBytes = (targetRowBytes + 1 + 15) & ~15;
  let end = 0;
  function place(byteLength: number): number {
    const offset = end;
    end = (end + byteLength + slackBytes + 15) & ~15;
    return offset;
  }
  function placeTaps(count: number, pairs: number): Taps {
    return { starts: place(count * 4), weights: place(count * pairs * pairBytes), pairs };
  }
  const isHorizontalFirst = x !== undefined && y !== undefined && !verticalFirst;
  const windowRows = y === undefined ? 0 : findWindowRows(y, yPairs, bandRows);
  const windowStride = isHorizontalFirst ? paddedRowBytes : sourceRowBytes;
  let stagingRows = x === undefined ? 0 : bandRows;
  if (isHorizontalFirst) {
    // The horizontal kernels take four rows at once.
    stagingRows = Math.max(4, Math.floor(stagingByteLength / sourceRowBytes) & ~3);
  }
  const outStride = x === undefined || isHorizontalFirst ? targetRowBytes : paddedRowBytes;
  return {
    bandRows,
    xTaps: placeTaps(width, xPairs),
    yTaps: placeTaps(height, yPairs),
    window: { offset: place(windowRows * windowStride), stride: windowStride },
    staging: {
      // Positions at the end of a row may have fewer taps than others; as many are read.
      offset: place(stagingRows * sourceRowBytes + xPairs * 2 * channels),
      stride: sourceRowBytes,
    },
    stagingRows,
    out: { offset: place(bandRows * outStride), stride: outStride },
    byteLength: end,
  };
}

/** The most rows that a band's vertical pass reads, those for taps without a weight included. */
function findWindowRows({ starts }: CoefficientTable, pairs: number, bandRows: number): number {
  let most = 0;
  for (let row = 0; row < starts.length; row += bandRows) {
    const last = Math.min(row + bandRows, starts.length) - 1;
    const first = starts[row] ?? 0;
    most = Math.max(most, (starts[last] ?? 0) + pairs * 2 - first);
  }
  return most;
}
