import type { PngHeader } from './png-chunks.ts';

/** One unfiltered row and where its pixels go. */
interface Row {
  readonly line: Uint8Array;
  readonly from: number;
  readonly columns: number;
  readonly data: Uint8Array;
  /** Offset of the first pixel in `data`, and from each pixel to the next. */
  readonly to: number;
  readonly step: number;
}

/** Writes a row as 8-bit samples: three for RGB and palette images, one for grey. */
export function unpackPng(header: PngHeader, palette: Uint8Array, row: Row): void {
  const { bitDepth, colourType } = header;
  const bytes = bitDepth === 16 ? 2 : 1;
  switch (colourType) {
    case 0:
      if (bitDepth < 8) unpackSmallGrey(row, bitDepth);
      else unpackGrey(row, bytes);
      return;
    case 4:
      unpackGrey(row, 2 * bytes);
      return;
    case 2:
      unpackRgb(row, 3 * bytes, bytes);
      return;
    case 6:
      unpackRgb(row, 4 * bytes, bytes);
      return;
    case 3:
      unpackPalette(row, bitDepth, palette);
  }
}

/** Of `pixelBytes` bytes a pixel the first is kept: alpha goes, and the low byte of 16 bits. */
function unpackGrey(row: Row, pixelBytes: number): void {
  const { line, columns, data, step } = row;
  for (let i = 0, from = row.from, to = row.to; i < columns; i++, from += pixelBytes, to += step) {
    data[to] = line[from] as number;
  }
}

function unpackRgb(row: Row, pixelBytes: number, sampleBytes: number): void {
  const { line, columns, data, step } = row;
  if (pixelBytes === 3 && step === 3) {
    data.set(line.subarray(row.from, row.from + columns * 3), row.to);
    return;
  }
  for (let i = 0, from = row.from, to = row.to; i < columns; i++, from += pixelBytes, to += step) {
    data[to] = line[from] as number;
    data[to + 1] = line[from + sampleBytes] as number;
    data[to + 2] = line[from + 2 * sampleBytes] as number;
  }
}

/** 1, 2 and 4 bits spread over 0 to 255. */
function unpackSmallGrey(row: Row, bits: number): void {
  const spread = 255 / (2 ** bits - 1);
  for (let i = 0, to = row.to; i < row.columns; i++, to += row.step) {
    row.data[to] = packedSample(row, i, bits) * spread;
  }
}

function unpackPalette(row: Row, bits: number, palette: Uint8Array): void {
  const { data, step } = row;
  for (let i = 0, to = row.to; i < row.columns; i++, to += step) {
    const entry = 3 * packedSample(row, i, bits);
    data[to] = palette[entry] ?? 0;
    data[to + 1] = palette[entry + 1] ?? 0;
    data[to + 2] = palette[entry + 2] ?? 0;
  }
}

/** Sample `i` of a row of 1, 2, 4 or 8 bits a sample, the first in a byte's highest bits. */
function packedSample(row: Row, i: number, bits: number): number {
  const bit = i * bits;
  const byte = row.line[row.from + (bit >> 3)] as number;
  return (byte >> (8 - bits - (bit & 7))) & (2 ** bits - 1);
}
