import { createReadStream } from 'node:fs';
import { fault } from '../../core/errors.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { describeFault, describeFileError, type FileError } from './file-result.ts';

const MIB = 1024 ** 2;
/** Any legal image fits: 4096 x 4096 pixels of four 16-bit channels, stored as they are, are 128 MiB. */
const MAX_FILE_MIB = 130;
const CHUNK_BYTES = MIB;

/** Reads a whole file, which may be a pipe; never more than a legal image can need. */
export async function readImage(path: string): Promise<Result<Uint8Array<ArrayBuffer>, FileError>> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      chunks.push(chunk as Buffer);
      byteCount += (chunk as Buffer).length;
      if (byteCount > MAX_FILE_MIB * MIB) {
        const detail = `expected a file of at most ${MAX_FILE_MIB} MiB, found a larger one`;
        return err(describeFault(fault('SIZE_OUT_OF_RANGE', detail)));
      }
    }
  } catch (error) {
    return err(describeFileError(error));
  }
  return ok(new Uint8Array(Buffer.concat(chunks)));
}
