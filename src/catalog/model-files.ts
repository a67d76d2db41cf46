import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { freeMemory } from '../core/free-memory.ts';

const GIT_LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Compares a model's file with its manifest; the problem is a sentence that names the file. */
export async function findFileProblem(
  folder: string,
  file: string,
  expectedSha256: string,
): Promise<string | undefined> {
  const path = join(folder, file);
  try {
    const found = await hashFile(path);
    if (found === expectedSha256) {
      return undefined;
    }
    return (await isGitLfsPointer(path))
      ? `${path}: expected the file itself, found a Git LFS pointer to it; run "git lfs pull" where it came from and copy the file again`
      : `${path}: expected SHA-256 ${expectedSha256}, found ${found}; the file was changed, cut short or damaged in copying`;
  } catch (error) {
    return describeReadError(path, error);
  }
}

const PIECE_BYTES = 1024 * 1024;

/**
 * SHA-256 of a file as lower-case hex, read into one piece of memory again and again: a stream's
 * many would stay with the process, tens of megabytes for a large model.
 */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const piece = new Uint8Array(PIECE_BYTES);
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await file.read(piece);
      if (bytesRead === 0) {
        return hash.digest('hex');
      }
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
    freeMemory(piece);
  }
}

async function isGitLfsPointer(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(GIT_LFS_POINTER.length);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return start.toString('latin1', 0, bytesRead) === GIT_LFS_POINTER;
  } finally {
    await file.close();
  }
}

/** Why a file cannot be read, and what to do about it where that is known. */
export function describeReadError(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return `${path}: expected this file, found nothing there`;
  }
  if (code === 'EISDIR') {
    return `${path}: expected a file, found a folder`;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return `${path}: expected to be allowed to read it, found that this user is not; give it read permission`;
  }
  return `${path}: cannot be read (${code ?? message})`;
}
