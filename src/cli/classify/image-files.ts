import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeFileError, type FileError } from './file-result.ts';

/** A file to classify, or a place that could not be looked at. */
export interface FoundFile {
  readonly path: string;
  readonly error?: FileError;
  /** A path from the command line at which there is nothing. */
  readonly isMissing: boolean;
}

/** What the search has met so far. A folder's files count as soon as it is entered. */
export interface SearchCounts {
  found: number;
  /** Files in folders that are no images by their names. */
  skipped: number;
}

const IMAGE_NAME = /\.(jpe?g|png|bmp)$/i;

/**
 * Yields the named files, and in place of a named folder the image files below it in order of
 * name, one at a time: only the names of the folders on the way down are held.
 */
export async function* findImageFiles(
  named: readonly string[],
  counts: SearchCounts,
): AsyncGenerator<FoundFile> {
  counts.found += named.length;
  for (const path of named) {
    let isFolder = false;
    try {
      isFolder = (await stat(path)).isDirectory();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      yield { path, error: describeFileError(error), isMissing };
      continue;
    }
    if (isFolder) {
      counts.found--;
      yield* searchFolder(path, counts);
    } else {
      yield { path, isMissing: false };
    }
  }
}

async function* searchFolder(folder: string, counts: SearchCounts): AsyncGenerator<FoundFile> {
  let entries: Entry[];
  try {
    const all = await readdir(folder, { withFileTypes: true });
    entries = await Promise.all(all.map((entry) => classifyEntry(folder, entry)));
  } catch (error) {
    counts.found++;
    yield { path: folder, error: describeFileError(error), isMissing: false };
    return;
  }
  for (const { kind } of entries) {
    counts.found += kind === 'image' ? 1 : 0;
    counts.skipped += kind === 'other' ? 1 : 0;
  }
  // By code unit, so that the order is the same under every locale.
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, kind } of entries) {
    if (kind === 'folder') {
      yield* searchFolder(join(folder, name), counts);
    } else if (kind === 'image') {
      yield { path: join(folder, name), isMissing: false };
    }
  }
}

interface Entry {
  readonly name: string;
  readonly kind: 'image' | 'folder' | 'other';
}

async function classifyEntry(folder: string, entry: Dirent): Promise<Entry> {
  const { name } = entry;
  if (entry.isDirectory()) {
    return { name, kind: 'folder' };
  }
  const isImage =
    IMAGE_NAME.test(name) &&
    (entry.isFile() || (entry.isSymbolicLink() && (await mayBeFile(join(folder, name)))));
  return { name, kind: isImage ? 'image' : 'other' };
}

/** Linked folders are not entered, since links can lead round in circles. */
async function mayBeFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch {
    return true; // reading it will fail and say why
  }
}
