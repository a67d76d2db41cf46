import { formatTable, type Row } from '../../src/cli/text-table.ts';
import type { BuiltArchive } from './build.ts';
import { type ArchiveEntry, sumBytes } from './entry.ts';

const MB = 1e6;

/** What was built, what takes the room in it, and how long it took. */
export function formatReport(built: BuiltArchive, durationMs: number): string {
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
  return `${table}\n${built.file}\n${formatMb(built.size)} MB, ${seconds} s, sha256 ${built.sha256}\n`;
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
