import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { type PngHeader, readPngContent, readPngHeader } from '../../src/imaging/png-chunks.ts';
import { mutate } from './mutate.ts';

function pngChunk(type: string, data: Uint8Array): Buffer {
  const typeAndData = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(typeAndData.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  typeAndData.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typeAndData), typeAndData.length + 4);
  return chunk;
}

/** A PNG of whatever compressed rows it is given, in chunks of their own. */
export function pngFile(
  header: Omit<PngHeader, 'format'>,
  compressed: readonly Uint8Array[],
  palette: Uint8Array = new Uint8Array(0),
): Buffer {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width, 0);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([header.bitDepth, header.colourType, 0, 0, Number(header.interlaced)], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', ihdr),
    ...(palette.length > 0 ? [pngChunk('PLTE', palette)] : []),
    ...compressed.map((piece) => pngChunk('IDAT', piece)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * A copy of a PNG whose rows have faults, but whose checksums are right: decoders get to see them.
 * Nothing where there are no rows to be had.
 */
export function mutatePngRows(
  bytes: Uint8Array,
  random: (below: number) => number,
): Uint8Array | undefined {
  const header = readPngHeader(bytes);
  const content = readPngContent(bytes);
  if (!header.ok || !content.ok) return undefined;
  let lines: Uint8Array;
  try {
    lines = inflateSync(Buffer.concat(content.value.compressed));
  } catch {
    return undefined; // one of the files that are to be refused
  }
  const stream = deflateSync(mutate(lines, random), { level: random(10) });
  const cut = random(stream.length + 1);
  const pieces = [stream.subarray(0, cut), stream.subarray(cut)];
  return pngFile(header.value, pieces, content.value.palette);
}
