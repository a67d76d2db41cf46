import { createReadStream } from 'node:fs';

/** One line of a file, without its line break; `number` counts from 1. */
interface Line {
  readonly number: number;
  readonly bytes: Buffer;
  /** The line is longer than `maxBytes`, and `bytes` only its beginning; no line follows. */
  readonly isCut: boolean;
}

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/** Reads a file line by line; what is no text file costs no more than `maxBytes` of memory. */
export async function* readLines(path: string, maxBytes: number): AsyncGenerator<Line> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let number = 1;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      yield { number, bytes: Buffer.concat([...begun, rest.subarray(0, end)]), isCut: false };
      rest = rest.subarray(end + 1);
      begun = [];
      begunBytes = 0;
      number++;
    }
    begun.push(rest);
    begunBytes += rest.length;
    if (begunBytes > maxBytes) {
      yield { number, bytes: Buffer.concat(begun), isCut: true };
      return;
    }
  }
  if (begunBytes > 0) {
    yield { number, bytes: Buffer.concat(begun), isCut: false };
  }
}
