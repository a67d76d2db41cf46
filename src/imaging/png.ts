import { constants, inflateRawSync } from 'node:zlib';
import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { asColour } from './colour.ts';
import type { DecodedColour, Pixels } from './pixels.ts';
import type { PngContent, PngHeader } from './png-chunks.ts';
import { undoFilters } from './png-filters.ts';
import { unpackPng } from './png-samples.ts';
import { unreadable } from './refusal.ts';

/** One reduced image of Adam7 interlacing: every `dx`-th column from `x` and `dy`-th row from `y`. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

const wholeImage: readonly Pass[] = [{ x: 0, y: 0, dx: 1, dy: 1 }];

/** Table of the PNG specification, section 8.2. */
const adam7: readonly Pass[] = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

const samplesAPixel = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

/**
 * Decodes a PNG on node:zlib: alpha, tRNS, gamma and profiles are dropped, 16 bits keep the high
 * byte. Refuses missing rows.
 */
export function decodePng(
  header: PngHeader,
  content: PngContent,
  colour: DecodedColour,
): Result<Pixels, Fault> {
  const { width, height } = header;
  const bitsAPixel = header.bitDepth * samplesAPixel[header.colourType];
  const layers: { pass: Pass; columns: number; rows: number; rowBytes: number; start: number }[] =
    [];
  let needed = 0;
  for (const pass of header.interlaced ? adam7 : wholeImage) {
    const columns = Math.ceil((width - pass.x) / pass.dx);
    const rows = Math.ceil((height - pass.y) / pass.dy);
    if (columns <= 0 || rows <= 0) continue;
    const rowBytes = Math.ceil((columns * bitsAPixel) / 8);
    layers.push({ pass, columns, rows, rowBytes, start: needed });
    needed += rows * (rowBytes + 1);
  }

  const inflated = inflate(content.compressed, needed);
  if (!inflated.ok) return inflated;
  const lines = inflated.value;

  const channels =
    header.colourType === 2 || header.colourType === 6 || header.colourType === 3 ? 3 : 1;
  const data = new Uint8Array(width * height * channels);
  const filterStep = Math.max(1, bitsAPixel >> 3);
  for (const { pass, columns, rows, rowBytes, start } of layers) {
    const bad = undoFilters(lines, start, rows, rowBytes, filterStep);
    if (bad !== undefined) return unreadable(`PNG: unknown filter type ${bad}`);
    for (let row = 0; row < rows; row++) {
      unpackPng(header, content.palette, {
        line: lines,
        from: start + row * (rowBytes + 1) + 1,
        columns,
        data,
        to: ((pass.y + row * pass.dy) * width + pass.x) * channels,
        step: pass.dx * channels,
      });
    }
  }
  return ok(asColour(data, channels, width, height, colour));
}

/**
 * The first `needed` bytes of a zlib stream. Its header is checked here and its checksum is not, as
 * in Pillow, which stops reading with the last row; the chunks' own checksums were.
 */
function inflate(stream: Uint8Array, needed: number): Result<Uint8Array, Fault> {
  const [method = 0, flags = 0] = stream;
  if (method % 16 !== 8 || method >> 4 > 7 || (method * 256 + flags) % 31 !== 0 || flags & 0x20) {
    return unreadable('PNG: the image data is no zlib stream');
  }
  try {
    const data = inflateRawSync(stream.subarray(2), {
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: Math.max(64, needed + 1),
    });
    if (data.length >= needed) return ok(data);
    return unreadable(`PNG: rows are missing: expected ${needed} bytes, found ${data.length}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    return unreadable(`PNG: the image data cannot be decompressed: ${reason}`);
  }
}
