/** One file of an archive, by its path under the archive's top folder. */
export interface ArchiveEntry {
  readonly path: string;
  readonly bytes: Buffer;
  readonly isExecutable: boolean;
}

/** By the bytes of their paths, the same in every locale. */
export function sortEntries(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  return [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** The bytes that all entries hold together. */
export function sumBytes(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
