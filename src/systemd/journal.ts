import { fstatSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether what is written to a descriptor goes to systemd's journal (`JOURNAL_STREAM`). */
export function isJournal(fd: number, { JOURNAL_STREAM }: Environment = process.env): boolean {
  if (JOURNAL_STREAM === undefined) {
    return false;
  }
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false; // it is closed
  }
}
