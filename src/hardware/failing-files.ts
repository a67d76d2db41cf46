import type { SystemFiles } from './system-files.ts';

/**
 * The same files, of which one that a disk cannot read (EIO) is like one that this process may not
 * read: a bad sector must not keep all others from being read. `tell` is given a sentence for each.
 */
export function withoutFailingFiles(files: SystemFiles, tell: (note: string) => void): SystemFiles {
  function attempt<T>(path: string, read: (path: string) => T, instead: T): T {
    try {
      return read(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      tell(`${path} does not count: reading it fails (EIO)`);
      return instead;
    }
  }

  return {
    readText: (path) => attempt(path, files.readText, { state: 'denied' }),
    list: (path) => attempt(path, files.list, []),
    readLink: (path) => attempt(path, files.readLink, undefined),
    realPath: (path) => attempt(path, files.realPath, undefined),
    ownership: (path) => attempt(path, files.ownership, undefined),
  };
}
