import { formatTable, type Row } from '../../src/cli/text-table.ts';
import type { BuiltArchive } from './build.ts';
import { type ArchiveEntry, sumBytes } from './entry.ts';

const MB = 1e6;

export interface Report {
  readonly built: BuiltArchive;
  /** Of the key that signed it, if one did. */
  readonly fingerprint: string | undefined;
  readonly durationMs: number;
}

/** What was built, what takes the room in it, and how long it took. */
export function formatReport({ built, fingerprint, durationMs }: Report): string {
  const rows: Row[] = [['part', 'files', 'MB']];
  for (const [part, entries] of [...groupParts(built.entries)].sort(bySize)) {
    rows.push([part, String(entries.length), formatMb(sumBytes(entries))]);
  }
  rows.push(['all', String(built.entries.length), formatMb(sumBytes(built.entries))]);
  const table = formatTable(rows, {
    widths: [null, null, null],
    aligns: ['left', 'right', 'right'],
  });
  const seconds = (durationMs / 1000).toFixed(1);
  const leftOut = built.leftOut.map(([reason, bytes]) => `${formatMb(bytes)} MB ${reason}`);
  const { GLIBC, GLIBCXX } = built.needs.symbolVersions;
  const lines = [
    `Left out: ${leftOut.join(', ')}.`,
    `Needs glibc ${GLIBC} and a libstdc++ with GLIBCXX_${GLIBCXX}.`,
    ...(built.isDirty
      ? ['NOT OF THE COMMIT ALONE: the working tree holds changes; the manifest says so.']
      : []),
    fingerprint === undefined
      ? 'NOT SIGNED: for tests only, install.sh refuses it; sign with --key.'
      : `Signed; sha256 of its release-key.pub, to be told on a way of its own:\n${fingerprint}`,
    '',
    built.file,
    `${formatMb(built.size)} MB, ${seconds} s, sha256 ${built.sha256}`,
  ];
  return `${table}\n${lines.map((line) => `${line}\n`).join('')}`;
}

function groupParts(entries: readonly ArchiveEntry[]): Map<string, ArchiveEntry[]> {
  return Map.groupBy(entries, ({ path }) => {
    const found = /^(app\/node_modules\/(?:onnxruntime-node|@img)|app\/[^/]+|[^/]+)/.exec(path);
    return found?.[1] ?? path;
  });
}

function bySize(
  [, a]: [string, readonly ArchiveEntry[]],
  [, b]: [string, readonly ArchiveEntry[]],
): number {
  return sumBytes(b) - sumBytes(a);
}

function formatMb(bytes: number): string {
  return (bytes / MB).toFixed(1);
}
