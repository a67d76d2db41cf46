import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OperatorError } from '../core/errors.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string | Uint8Array;
  /** Permissions, before the user's umask. */
  readonly mode?: number;
}

/** A whole file on the disk that nobody sees yet under its name. */
export interface PreparedFile {
  /** Gives it its name; throws an OperatorError, and changes nothing, where there is one by then. */
  publish(): Promise<void>;
  /** Takes it away; does nothing once published. */
  discard(): Promise<void>;
}

/** Writes a file in full beside its place, without taking that. Throws an OperatorError (OS). */
export async function prepareNewFile(file: NewFile): Promise<PreparedFile> {
  const part = await writePart(file);
  return {
    async publish() {
      // A link is refused where there is a file, unlike a rename.
      await attempt(file.path, async () => {
        await link(part, file.path);
        await rm(part);
        await syncFolder(dirname(file.path));
      });
    },
    discard: () => rm(part, { force: true }),
  };
}

/** Writes a file whole or not at all, and never over another. Throws an OperatorError (OS). */
export async function writeNewFile(file: NewFile): Promise<void> {
  const prepared = await prepareNewFile(file);
  try {
    await prepared.publish();
  } finally {
    await prepared.discard();
  }
}

/** Writes a file in the place of another, whole or not at all. Throws an OperatorError (OS). */
export async function replaceFile(file: NewFile): Promise<void> {
  const part = await writePart(file);
  try {
    await attempt(file.path, async () => {
      await rename(part, file.path);
      await syncFolder(dirname(file.path));
    });
  } finally {
    await rm(part, { force: true });
  }
}

async function writePart({ path, text, mode = 0o666 }: NewFile): Promise<string> {
  const part = `${resolve(path)}.${process.pid}.part`;
  await attempt(path, async () => {
    const handle = await open(part, 'wx', mode);
    try {
      await writeAll(handle, text);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
  return part;
}

async function writeAll(handle: FileHandle, text: NewFile['text']): Promise<void> {
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder last through a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function attempt(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

export function cannotWrite(path: string, cause: unknown): OperatorError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = reasons[code ?? ''] ?? message;
  return new OperatorError('OS', `${path} cannot be written: ${reason}`, { cause });
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'there is one already, which is never overwritten; name another or take it away',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EACCES: 'this user may not write there',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
};
