import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { err, ok, type Result } from '../core/result.ts';

/** Why a file could not be read, without its content. */
export interface FileProblem {
  readonly isMissing: boolean;
  readonly detail: string;
}

// Neither follows a link nor waits for the other end of a pipe nor takes over a terminal.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads a regular file that has at most so many bytes, and of a larger one at most one more. */
export async function readBoundedFile(
  path: string,
  maxBytes: number,
): Promise<Result<Buffer, FileProblem>> {
  let file: FileHandle;
  try {
    file = await open(path, FLAGS);
  } catch (error) {
    return err(await describeOpenError(path, error));
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      return refuse(`expected a file, found ${describeKind(stats)}`);
    }
    // The size is asked again by reading: it may be growing, and some file systems say 0.
    if (stats.size > maxBytes) {
      return refuse(`expected at most ${maxBytes} bytes, found ${stats.size}`);
    }
    const bytes = await readAtMost(file, maxBytes + 1);
    return bytes.length > maxBytes
      ? refuse(`expected at most ${maxBytes} bytes, found more`)
      : ok(bytes);
  } catch (error) {
    return refuse(`cannot be read (${describeCode(error)})`);
  } finally {
    await file.close();
  }
}

async function readAtMost(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await file.read(bytes, length, maxBytes - length);
    if (bytesRead === 0) {
      break;
    }
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

async function describeOpenError(path: string, error: unknown): Promise<FileProblem> {
  const code = describeCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { isMissing: true, detail: 'expected a file, found nothing there' };
  }
  const stats = await lstat(path).catch(() => undefined); // only to say more
  const isDenied = code === 'EACCES' || code === 'EPERM';
  if (stats === undefined) {
    const detail = isDenied ? 'its folder is closed to this user' : `cannot be opened (${code})`;
    return { isMissing: false, detail };
  }
  if (!stats.isFile()) {
    return { isMissing: false, detail: `expected a file, found ${describeKind(stats)}` };
  }
  const mode = (stats.mode & 0o777).toString(8);
  const detail = isDenied
    ? `expected a file that this user may read, found one of user ${stats.uid} with mode ${mode}`
    : `cannot be opened (${code})`;
  return { isMissing: false, detail };
}

function describeKind(stats: Stats): string {
  if (stats.isSymbolicLink()) {
    return 'a symbolic link; put the file itself there';
  }
  if (stats.isDirectory()) {
    return 'a folder';
  }
  return stats.isFIFO() ? 'a pipe' : 'a device or socket';
}

function describeCode(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function refuse(detail: string) {
  return err({ isMissing: false, detail });
}
