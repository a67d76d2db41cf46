/**
 * Expands BMP run lengths (RLE4 or RLE8) to one palette index a pixel, rows in stored order, as
 * Pillow's BmpRleDecoder does, its handling of broken data included. Pixels that a jump leaves out
 * hold index 0. Undefined when the data ends before the last pixel.
 */
export function expandRuns(
  bytes: Uint8Array,
  offset: number,
  width: number,
  height: number,
  rle4: boolean,
): Uint8Array | undefined {
  const total = width * height;
  const out = new Uint8Array(total);
  let filled = 0;
  let x = 0;
  let at = offset;
  while (filled < total) {
    const first = bytes[at];
    const second = bytes[at + 1];
    if (first === undefined || second === undefined) break;
    at += 2;
    if (first > 0) {
      // A run longer than its row is cut off.
      const count = x + first > width ? Math.max(0, width - x) : first;
      const stop = Math.min(total, filled + count);
      if (rle4) fillPairs(out, filled, stop, second);
      else out.fill(second, filled, stop);
      filled = stop;
      x += count;
    } else if (second === 0) {
      // End of line; nothing happens where the row is just full.
      filled = Math.ceil(filled / width) * width;
      x = 0;
    } else if (second === 1) {
      break;
    } else if (second === 2) {
      const right = bytes[at];
      const up = bytes[at + 1];
      if (right === undefined || up === undefined) break;
      at += 2;
      filled = Math.min(total, filled + right + up * width);
      x = filled % width;
    } else {
      const count = Math.min(total - filled, second);
      const size = rle4 ? (count + 1) >> 1 : count;
      const literal = bytes.subarray(at, at + size);
      copyLiteral(out, filled, count, literal, rle4);
      if (literal.length < size) {
        filled += Math.min(count, rle4 ? literal.length * 2 : literal.length);
        break;
      }
      filled += count;
      at += size;
      x += second;
      // Literals are padded to an even file offset.
      if (at % 2 !== 0) at++;
    }
  }
  return filled < total ? undefined : out;
}

/** A run of two alternating colours, the first in the high half of the byte. */
function fillPairs(out: Uint8Array, from: number, to: number, pair: number): void {
  for (let i = from; i < to; i++) out[i] = (i - from) % 2 === 0 ? pair >> 4 : pair & 15;
}

function copyLiteral(
  out: Uint8Array,
  to: number,
  count: number,
  literal: Uint8Array,
  rle4: boolean,
): void {
  if (!rle4) {
    out.set(literal, to);
    return;
  }
  const available = Math.min(count, literal.length * 2);
  for (let i = 0; i < available; i++) {
    const byte = literal[i >> 1] as number;
    out[to + i] = i % 2 === 0 ? byte >> 4 : byte & 15;
  }
}
