import { ok } from '../../core/result.ts';
import { readBoundedFile } from '../../licensing/bounded-file.ts';
import { type Checked, refuse } from './problems.ts';

/**
 * Reads a file that the command line names, `-` for standard input.
 *
 * @param name what messages call it: `--key`
 */
export async function readNamedFile(
  name: string,
  path: string,
  maxBytes: number,
): Promise<Checked<Buffer>> {
  if (path === '-') {
    return readStandardInput(name, maxBytes);
  }
  const file = await readBoundedFile(path, maxBytes, { followsLinks: true });
  if (file.ok) {
    return file;
  }
  const { isMissing, detail } = file.error;
  return refuse(isMissing ? 'NO_INPUT' : 'DATA', `${name} ${path}: ${detail}`);
}

async function readStandardInput(name: string, maxBytes: number): Promise<Checked<Buffer>> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) {
      return refuse('DATA', `${name} -: expected at most ${maxBytes} bytes, found more`);
    }
  }
  return ok(Buffer.concat(pieces));
}
