import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { err, ok, type Result } from '../../core/result.ts';

/** More than the lines of a log that are of use. */
const MAX_BYTES = 2 * 1024 ** 2;

/** The last lines of a plain file, however large it is; the error is a sentence's end. */
export async function readFileEnd(path: string, lines: number): Promise<Result<string, string>> {
  try {
    // A pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) {
      return err(`${path} is no plain file`);
    }
    const buffer = Buffer.alloc(Math.min(stats.size, MAX_BYTES));
    const { bytesRead } = await file.read(buffer, { position: stats.size - buffer.length });
    const text = buffer.subarray(0, bytesRead).toString('utf8').trimEnd();
    return ok(`${text.split('\n').slice(-lines).join('\n')}\n`);
  } catch (error) {
    return err((error as Error).message);
  }
}
