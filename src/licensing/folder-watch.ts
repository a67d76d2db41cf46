import { within } from '../core/within.ts';
import type { LicenseBuild } from './build-keys.ts';
import {
  describeLicenseFolder,
  type LicenseFolder,
  noteUnread,
  readLicenseFolder,
} from './license-folder.ts';
import type { Revocations } from './revocations.ts';

/** What lies in the folder of licences, read again when it has changed. */
export interface FolderWatch {
  readonly found: LicenseFolder;
  readonly revocations: Revocations;
  /** Reads what has changed, for 5 s at most; whether that is other than what was known before. */
  look(): Promise<boolean>;
  /** Reads all of it the next time. */
  forget(): void;
}

export interface FolderWatchOptions {
  readonly build: LicenseBuild;
  readonly folder: string;
  readonly readRevocations: () => Promise<Revocations>;
}

const PATIENCE_MS = 5_000;

export function watchFolder({ build, folder, readRevocations }: FolderWatchOptions): FolderWatch {
  const late = `the folder of licences ${folder} does not answer`;
  let found = noteUnread(late);
  let revocations: Revocations = { reasons: new Map(), problems: [] };
  let text: string | undefined;
  let isLate = false;
  let reading: Promise<boolean> | undefined;

  async function read(): Promise<boolean> {
    const isFirst = found.licenses.some(({ file }) => file === '.');
    const now = await describeLicenseFolder(folder);
    const isChanged = now !== text;
    if (isChanged || found.isUnread) {
      found = await readLicenseFolder(folder, build, found.licenses);
    }
    if (isChanged || revocations.problems.length > 0) {
      revocations = keepWithdrawn(await readRevocations(), revocations);
    }
    text = now;
    return isChanged && !isFirst;
  }

  return {
    get found() {
      return isLate ? { ...found, problems: [late, ...found.problems] } : found;
    },
    get revocations() {
      return revocations;
    },
    /** A network share that hangs must not stop the clock: then what is known goes on to count. */
    async look() {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      const isChanged = await within(PATIENCE_MS, reading);
      isLate = isChanged === undefined;
      return isChanged ?? false;
    },
    forget() {
      text = undefined;
    },
  };
}

/** What a list withdrew that does not count now, as it cannot be read, stays withdrawn. */
function keepWithdrawn(now: Revocations, before: Revocations): Revocations {
  return now.problems.length === 0
    ? now
    : { ...now, reasons: new Map([...before.reasons, ...now.reasons]) };
}
