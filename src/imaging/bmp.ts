import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import type { BmpHeader, BmpSamples } from './bmp-header.ts';
import { expandRuns } from './bmp-runs.ts';
import { asColour } from './colour.ts';
import type { DecodedColour, Pixels } from './pixels.ts';
import { unreadable } from './refusal.ts';

/**
 * Decodes a BMP to the pixels Pillow 13's BmpImagePlugin gives. Refuses files that end before their
 * last row; padding after the last row may be missing.
 */
export function decodeBmp(
  bytes: Uint8Array,
  header: BmpHeader,
  colour: DecodedColour,
): Result<Pixels, Fault> {
  if (header.samples.kind === 'index') return decodeIndexed(bytes, header, colour);
  if (header.coding !== 'rows') {
    return unreadable(`BMP: run lengths with ${header.bits} bits a pixel`);
  }
  const { width, height, samples } = header;
  const rows = locateRows(bytes, header, header.bits);
  if (rows === undefined) return endsEarly(header);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    unpackColours(bytes, rows.start(y), samples, data, y * width * 3, width);
  }
  return ok(asColour(data, 3, width, height, colour));
}

/** Where each row of the image starts; undefined when the file ends before the last one. */
function locateRows(
  bytes: Uint8Array,
  header: BmpHeader,
  bits: number,
): { start(y: number): number } | undefined {
  const { width, height, dataOffset, topDown } = header;
  const stride = Math.floor((width * header.bits + 31) / 32) * 4;
  const rowBytes = Math.ceil((width * bits) / 8);
  const end = dataOffset + (height - 1) * stride + rowBytes;
  if (rowBytes > stride || end > bytes.length) return undefined;
  return { start: (y) => dataOffset + (topDown ? y : height - 1 - y) * stride };
}

function endsEarly(header: BmpHeader): ReturnType<typeof unreadable> {
  return unreadable(
    `BMP: the file ends before the last of ${header.height} rows of ${header.width} pixels`,
  );
}

function unpackColours(
  bytes: Uint8Array,
  start: number,
  samples: Exclude<BmpSamples, { kind: 'index' }>,
  data: Uint8Array,
  start3: number,
  width: number,
): void {
  let from = start;
  let to = start3;
  if (samples.kind === 'bytes') {
    const [red, green, blue] = samples.order;
    for (let x = 0; x < width; x++, from += samples.bytes, to += 3) {
      data[to] = bytes[from + red] as number;
      data[to + 1] = bytes[from + green] as number;
      data[to + 2] = bytes[from + blue] as number;
    }
    return;
  }
  const { greenBits } = samples;
  const greenTop = 2 ** greenBits - 1;
  for (let x = 0; x < width; x++, from += 2, to += 3) {
    const word = (bytes[from] as number) | ((bytes[from + 1] as number) << 8);
    data[to] = (((word >> (5 + greenBits)) & 31) * 255) / 31;
    data[to + 1] = (((word >> 5) & greenTop) * 255) / greenTop;
    data[to + 2] = ((word & 31) * 255) / 31;
  }
}

function decodeIndexed(
  bytes: Uint8Array,
  header: BmpHeader,
  colour: DecodedColour,
): Result<Pixels, Fault> {
  const { width, height } = header;
  const { entries, entryBytes, offset } = header.palette;
  const palette = bytes.subarray(offset, offset + entries * entryBytes);
  const grey = isGreyRamp(palette, entries, entryBytes);
  const indices = readIndices(bytes, header, grey);
  if (!indices.ok) return indices;
  if (grey) return ok(asColour(indices.value, 1, width, height, colour));

  if (palette.length >= 257 * entryBytes) {
    return unreadable(`BMP: expected a palette of at most 256 colours, found ${entries}`);
  }
  const table = rgbTable(palette, entryBytes);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, to = 0; i < indices.value.length; i++, to += 3) {
    const entry = (indices.value[i] as number) * 3;
    data[to] = table[entry] as number;
    data[to + 1] = table[entry + 1] as number;
    data[to + 2] = table[entry + 2] as number;
  }
  return ok(asColour(data, 3, width, height, colour));
}

/** Palette entries are blue, green, red; what a short palette leaves out is black. */
function rgbTable(palette: Uint8Array, entryBytes: number): Uint8Array {
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = i * entryBytes;
    if (at + entryBytes > palette.length) break;
    table[i * 3] = palette[at + 2] as number;
    table[i * 3 + 1] = palette[at + 1] as number;
    table[i * 3 + 2] = palette[at] as number;
  }
  return table;
}

/** Pillow drops a palette that is black and white, or in which every colour is its own index. */
function isGreyRamp(palette: Uint8Array, entries: number, entryBytes: number): boolean {
  for (let i = 0; i < entries; i++) {
    const value = (entries === 2 ? i * 255 : i) & 255;
    const at = i * entryBytes;
    if (palette[at] !== value || palette[at + 1] !== value || palette[at + 2] !== value)
      return false;
  }
  return true;
}

/** One byte a pixel: palette indices, or grey levels where the palette was dropped. */
function readIndices(
  bytes: Uint8Array,
  header: BmpHeader,
  grey: boolean,
): Result<Uint8Array, Fault> {
  const { width, height } = header;
  const blackAndWhite = grey && header.palette.entries <= 2;
  // Without its palette Pillow reads 1 or 8 bits a pixel, whatever the header says.
  const bits = grey ? (blackAndWhite ? 1 : 8) : header.bits;
  const indices = new Uint8Array(width * height);
  if (header.coding !== 'rows') {
    const stored = expandRuns(bytes, header.dataOffset, width, height, header.coding === 'rle4');
    if (stored === undefined) return endsEarly(header);
    for (let y = 0; y < height; y++) {
      const from = (header.topDown ? y : height - 1 - y) * width;
      indices.set(stored.subarray(from, from + width), y * width);
    }
    // Whatever is not black is white then.
    if (blackAndWhite) for (const [i, index] of indices.entries()) indices[i] = index && 255;
    return ok(indices);
  }
  const rows = locateRows(bytes, header, bits);
  if (rows === undefined) return endsEarly(header);
  const mask = 2 ** bits - 1;
  const scale = blackAndWhite ? 255 : 1;
  for (let y = 0; y < height; y++) {
    const start = rows.start(y);
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const byte = bytes[start + (bit >> 3)] as number;
      indices[y * width + x] = ((byte >> (8 - bits - (bit & 7))) & mask) * scale;
    }
  }
  return ok(indices);
}
