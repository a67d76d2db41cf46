import type { ClockHistory } from '../../src/licensing/clock-policy.ts';
import { createRecordFile } from '../../src/licensing/record-file.ts';
import { openRecords, type Records } from '../../src/licensing/records.ts';

/** Opens the records in these folders as a process does that starts. */
export function openFolders(folders: readonly string[]): Promise<Records> {
  return openRecords(folders.map((folder) => createRecordFile(folder)));
}

export function historyOf(markMs: number, ranMs: number, settledRanMs = ranMs): ClockHistory {
  return { markMs, ranMs, settledRanMs };
}
