import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { err, ok, type Result } from '../core/result.ts';

/** Why a file could not be read, without its content. */
export interface FileProblem {
  readonly isMissing: boolean;
  readonly detail: string;
  /** The system would not read it, now or for this user; nothing is known of what is in it. */
  readonly isUnread?: true;
}

export interface BoundedRead {
  /**
   * Whether a symbolic link is followed. It may be where a signature decides about the content, as
   * files of a Kubernetes secret are links; it may not where the place of the file vouches for it.
   */
  readonly followsLinks: boolean;
}

// Neither waits for the other end of a pipe nor takes over a terminal.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads a regular file that has at most so many bytes, and of a larger one at most one more. */
export async function readBoundedFile(
  path: string,
  maxBytes: number,
  { followsLinks }: BoundedRead = { followsLinks: false },
): Promise<Result<Buffer, FileProblem>> {
  let file: FileHandle;
  try {
    file = await open(path, followsLinks ? FLAGS : FLAGS | constants.O_NOFOLLOW);
  } catch (error) {
    return err(await describeOpenError(path, error, followsLinks));
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
    return err({
      isMissing: false,
      detail: `cannot be read (${describeCode(error)})`,
      isUnread: true,
    });
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

async function describeOpenError(
  path: string,
  error: unknown,
  followsLinks: boolean,
): Promise<FileProblem> {
  const code = describeCode(error);
  const link = await lstat(path).catch(() => undefined); // only to say more
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const found = link?.isSymbolicLink() ? 'a symbolic link to nothing' : 'nothing there';
    return { isMissing: true, detail: `expected a file, found ${found}` };
  }
  if (code === 'ELOOP' && followsLinks) {
    return { isMissing: false, detail: 'expected a file, found symbolic links in a circle' };
  }
  const stats = followsLinks ? await stat(path).catch(() => undefined) : link;
  const isDenied = code === 'EACCES' || code === 'EPERM';
  if (stats === undefined) {
    const detail = isDenied ? 'its folder is closed to this user' : `cannot be opened (${code})`;
    return { isMissing: false, detail, isUnread: true };
  }
  if (!stats.isFile()) {
    return { isMissing: false, detail: `expected a file, found ${describeKind(stats)}` };
  }
  const mode = (stats.mode & 0o777).toString(8);
  const detail = isDenied
    ? `expected a file that this user may read, found one of user ${stats.uid} with mode ${mode}`
    : `cannot be opened (${code})`;
  return { isMissing: false, detail, isUnread: true };
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
