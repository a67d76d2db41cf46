import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { type ArchiveEntry, sortEntries } from './entry.ts';

export interface ArchiveOptions {
  /** The folder that holds everything in the archive. */
  readonly top: string;
  /** Seconds since 1970, for every file and folder. */
  readonly time: number;
  /** From 1, fast, to 9, small. */
  readonly compressionLevel: number;
  readonly onProgress?: (bytes: number) => void;
}

export interface WrittenArchive {
  readonly size: number;
  readonly sha256: string;
}

/** Writes entries as `file`, a gzipped tar whose bytes depend on nothing but the arguments. */
export async function writeArchive(
  file: string,
  entries: readonly ArchiveEntry[],
  options: ArchiveOptions,
): Promise<WrittenArchive> {
  const part = `${file}.part`;
  const hash = createHash('sha256');
  let size = 0;
  const meter = new PassThrough().on('data', (chunk: Buffer) => {
    hash.update(chunk);
    size += chunk.length;
  });
  const tar = pack();
  try {
    await Promise.all([
      addEntries(tar, entries, options),
      pipeline(
        tar,
        createGzip({ level: options.compressionLevel }), // whose header holds no time
        meter,
        createWriteStream(part),
      ),
    ]);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return { size, sha256: hash.digest('hex') };
}

async function addEntries(
  tar: ReturnType<typeof pack>,
  entries: readonly ArchiveEntry[],
  { top, time, onProgress }: ArchiveOptions,
): Promise<void> {
  const common = { mtime: new Date(time * 1000), uid: 0, gid: 0, uname: 'root', gname: 'root' };
  const known = new Set<string>();
  for (const { path, bytes, isExecutable } of sortEntries(entries)) {
    const name = `${top}/${path}`;
    for (const folder of listFolders(name).filter((folder) => !known.has(folder))) {
      known.add(folder);
      tar.entry({ ...common, name: folder, type: 'directory', mode: 0o755 });
    }
    await new Promise<void>((resolve, reject) => {
      const mode = isExecutable ? 0o755 : 0o644;
      tar.entry({ ...common, name, mode }, bytes, (error) => (error ? reject(error) : resolve()));
    });
    onProgress?.(bytes.length);
  }
  tar.finalize();
}

/** The folders on the way to a path, the outermost first. */
function listFolders(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [...listFolders(folder), folder];
}
