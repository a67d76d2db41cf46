import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';

export type TextReading =
  | { readonly state: 'read'; readonly text: string }
  | { readonly state: 'missing' }
  | { readonly state: 'denied' };

/**
 * The files through which a system tells what it is; recorded ones take its place in tests. Each
 * throws where a failing disk or a lack of memory or file descriptors lets nothing be learnt.
 */
export interface SystemFiles {
  /** The text of a file, each byte one character (Latin-1); at most 1 MiB of it. */
  readText(path: string): TextReading;
  /** Names in a folder, sorted; none when it cannot be listed. */
  list(path: string): readonly string[];
  /** What a link says; undefined for anything else. */
  readLink(path: string): string | undefined;
  /** Where a path leads past all links; undefined when nothing is there. */
  realPath(path: string): string | undefined;
  ownership(path: string): { readonly userId: number; readonly mode: number } | undefined;
}

/** procfs, as the kernel's statfs(2) names it. */
const PROC_SUPER_MAGIC = 0x9fa0;
const MAXIMUM_BYTES = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/**
 * The files of this host. All calls block, so they belong in a process of their own, which can be
 * left behind where a disk or a driver does not answer.
 */
export const hostFiles: SystemFiles = {
  readText(path) {
    try {
      if (path.startsWith('/proc/self/') && !['/proc', path].every(isProc)) {
        return { state: 'denied' }; // something else was mounted over it
      }
      return readStart(path);
    } catch (error) {
      if (isFault(error)) throw error;
      const { code } = error as NodeJS.ErrnoException;
      return { state: code === 'EACCES' || code === 'EPERM' ? 'denied' : 'missing' };
    }
  },
  list: (path) => attempt(() => readdirSync(path).sort()) ?? [],
  readLink: (path) => attempt(() => readlinkSync(path)),
  realPath: (path) => attempt(() => realpathSync(path)),
  ownership: (path) =>
    attempt(() => {
      const { uid, mode } = statSync(path);
      return { userId: uid, mode };
    }),
};

const isProc = (path: string) => statfsSync(path).type === PROC_SUPER_MAGIC;

const faults: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'EIO', 'ENOMEM']);

/** Whether an error says nothing about the hardware, only that it cannot be read now. */
export function isFault(error: unknown): boolean {
  return faults.has((error as NodeJS.ErrnoException).code);
}

function readStart(path: string): TextReading {
  // A pipe mounted over a file must not hold the process until somebody writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) return { state: 'denied' };
    const piece = Buffer.alloc(PIECE_BYTES);
    let text = '';
    for (;;) {
      const length = readSync(file, piece, 0, piece.length, null);
      text += piece.toString('latin1', 0, length);
      if (length === 0 || text.length >= MAXIMUM_BYTES) {
        return { state: 'read', text: text.slice(0, MAXIMUM_BYTES) };
      }
    }
  } finally {
    closeSync(file);
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error)) throw error;
    return undefined; // missing or denied: there is nothing to take from it
  }
}
