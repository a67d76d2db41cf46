import { crc32 } from 'node:zlib';
import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { unreadable } from './refusal.ts';

/** PNG colour types: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
type PngColourType = 0 | 2 | 3 | 4 | 6;

export interface PngHeader {
  readonly format: 'png';
  readonly width: number;
  readonly height: number;
  /** Bits a sample: 1, 2, 4, 8 or 16. */
  readonly bitDepth: number;
  readonly colourType: PngColourType;
  readonly interlaced: boolean;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Bit depths that the format allows for each colour type. */
const depths: Record<PngColourType, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

export function isPng(bytes: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

interface Chunk {
  readonly type: string;
  /** Critical chunks have a capital first letter: without them the image cannot be read. */
  readonly critical: boolean;
  readonly start: number;
  /** End of the data, where the checksum stands; beyond the file when it is cut off. */
  readonly end: number;
}

/** The chunk at `at`, or undefined where no chunk of a legal name starts any more. */
function chunkAt(bytes: Uint8Array, at: number): Chunk | undefined {
  if (at + 8 > bytes.length) return undefined;
  const type = Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, 4).toString('latin1');
  if (!/^\w{4}$/.test(type)) return undefined;
  const start = at + 8;
  return {
    type,
    critical: type.charCodeAt(0) >= 0x41 && type.charCodeAt(0) <= 0x5a,
    start,
    end: start + readUint32(bytes, at),
  };
}

function isIntact(bytes: Uint8Array, chunk: Chunk): boolean {
  return (
    chunk.end + 4 <= bytes.length &&
    crc32(bytes.subarray(chunk.start - 4, chunk.end)) === readUint32(bytes, chunk.end)
  );
}

function readUint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** Reads the header chunk (IHDR), which must be intact; Pillow lets other chunks come before it. */
export function readPngHeader(bytes: Uint8Array): Result<PngHeader, Fault> {
  let chunk = chunkAt(bytes, signature.length);
  while (chunk !== undefined && chunk.type !== 'IHDR' && chunk.type !== 'IDAT') {
    chunk = chunkAt(bytes, chunk.end + 4);
  }
  if (chunk === undefined || chunk.type !== 'IHDR' || chunk.end - chunk.start < 13) {
    return unreadable('PNG: the header chunk (IHDR) is missing or too short');
  }
  if (!isIntact(bytes, chunk)) return unreadable('PNG: the header chunk (IHDR) is damaged');
  const [bitDepth = 0, type = 0, , filter = 0, interlace = 0] = bytes.subarray(
    chunk.start + 8,
    chunk.start + 13,
  );
  const colourType = type as PngColourType;
  if (!(depths[colourType] ?? []).includes(bitDepth)) {
    return unreadable(`PNG: no such format: colour type ${type} with ${bitDepth} bits`);
  }
  if (filter !== 0) return unreadable(`PNG: unknown filter method ${filter}`);
  const width = readUint32(bytes, chunk.start);
  const height = readUint32(bytes, chunk.start + 4);
  if (width === 0 || height === 0) return unreadable(`PNG: the sides are ${width}x${height}`);
  return ok({ format: 'png', width, height, bitDepth, colourType, interlaced: interlace !== 0 });
}

export interface PngContent {
  /** The compressed rows, a zlib stream: its pieces, in order, within the file's bytes. */
  readonly compressed: readonly Uint8Array[];
  /** RGB triples, as many as the file has. */
  readonly palette: Uint8Array;
  /** Chunks that may hold an orientation, in file order. */
  readonly metadata: readonly { readonly type: string; readonly data: Uint8Array }[];
}

const metadataTypes = new Set(['eXIf', 'iTXt', 'tEXt', 'zTXt']);

/**
 * Walks the chunks after IHDR and collects what decoding needs. Refuses a damaged critical chunk;
 * a damaged ancillary one is passed over. An end chunk (IEND) may be missing, as in Pillow.
 */
export function readPngContent(bytes: Uint8Array): Result<PngContent, Fault> {
  const idat: Uint8Array[] = [];
  const metadata: { type: string; data: Uint8Array }[] = [];
  let palette: Uint8Array = new Uint8Array(0);
  let rowsEnded = false;
  let at = signature.length;
  for (;;) {
    const chunk = chunkAt(bytes, at);
    if (chunk === undefined) {
      if (idat.length > 0) break;
      return unreadable('PNG: the file ends or is damaged before the first image data (IDAT)');
    }
    const intact = isIntact(bytes, chunk);
    if (chunk.critical && !intact) return unreadable(`PNG: chunk ${chunk.type} is damaged`);
    if (chunk.type === 'IEND') break;
    const data = bytes.subarray(chunk.start, chunk.end);
    if (chunk.type === 'IDAT') {
      if (!rowsEnded) idat.push(data);
    } else {
      rowsEnded = idat.length > 0;
      if (chunk.type === 'PLTE' && !rowsEnded)
        palette = data.subarray(0, data.length - (data.length % 3));
      if (intact && metadataTypes.has(chunk.type)) metadata.push({ type: chunk.type, data });
    }
    at = chunk.end + 4;
  }
  if (idat.length === 0) return unreadable('PNG: no image data (IDAT)');
  return ok({ compressed: idat, palette, metadata });
}
