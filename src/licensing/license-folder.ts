import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import type { LicenseBuild } from './build-keys.ts';
import type { FoundLicense } from './judge-license.ts';
import { readLicenseFile } from './read-license-file.ts';
import type { LicenseRefusal } from './verify-license.ts';

export const LICENSE_EXTENSION = '.lic';
/** The vendor's signed list of withdrawn licences: no licence, though it lies among them. */
export const REVOCATION_FILE = 'revoked.lic';

/** Far more than a host has services; a folder of thousands would be another folder. */
const MAX_FILES = 256;
/** Signatures take time on the main thread: between a few of them requests get their turn. */
const FILES_AT_ONCE = 4;

/** What lies in the folder of licences, as far as it could be read. */
export interface LicenseFolder {
  readonly licenses: readonly FoundLicense[];
  /** What of it does not count or no longer, and why, a sentence each. */
  readonly problems: readonly string[];
  /** Whether reading again may tell more, though nothing has changed. */
  readonly isUnread: boolean;
}

/**
 * Reads every licence in a folder, in order of names; a folder that is not there holds none. What
 * was good `before` stays in force while its folder or file cannot be read, or while its file is
 * no licence, as when it is being overwritten: until that is removed, or is another licence.
 */
export async function readLicenseFolder(
  folder: string,
  build: LicenseBuild,
  before: readonly FoundLicense[] = [],
): Promise<LicenseFolder> {
  const names = await listLicenseFiles(folder);
  if (!names.ok) {
    return before.some(({ license }) => license.ok)
      ? { licenses: before, problems: [names.error], isUnread: true }
      : noteUnread(names.error);
  }
  const { counted, surplus } = names.value;
  const read: FoundLicense[] = [];
  for (let from = 0; from < counted.length; from += FILES_AT_ONCE) {
    const some = counted.slice(from, from + FILES_AT_ONCE).map(async (file) => ({
      file,
      license: await readLicenseFile(join(folder, file), build),
    }));
    read.push(...(await Promise.all(some)));
  }
  const licenses = read.map((found) => keepGood(found, before));
  const damaged = licenses.flatMap(({ file, damage }) =>
    damage === undefined
      ? []
      : [`${join(folder, file)}: ${damage}; the licence that was there stays in force meanwhile`],
  );
  const ignored = `${folder}: expected at most ${MAX_FILES} licences, found ${surplus} more, of which none counts; move away those that are not needed`;
  return {
    licenses,
    problems: surplus === 0 ? damaged : [...damaged, ignored],
    isUnread: read.some(({ license }) => !license.ok && license.error.isUnread),
  };
}

/** The folder of which nothing is known yet, and why. */
export function noteUnread(detail: string): LicenseFolder {
  const refusal = { state: 'MALFORMED', detail, isUnread: true } as const;
  return { licenses: [{ file: '.', license: err(refusal) }], problems: [detail], isUnread: true };
}

/** Removed, or signed by the vendor for another product: what was there before is over. */
const replacedBy: ReadonlySet<LicenseRefusal['state']> = new Set(['NOT_FOUND', 'PRODUCT_MISMATCH']);

function keepGood(found: FoundLicense, before: readonly FoundLicense[]): FoundLicense {
  if (found.license.ok || replacedBy.has(found.license.error.state)) {
    return found;
  }
  const last = before.find(({ file }) => file === found.file);
  return last?.license.ok ? { ...last, damage: found.license.error.detail } : found;
}

/**
 * A text that differs when a licence or the list in the folder was added, removed or written. Asking for it
 * every second works on any file system, also when the folder comes and goes, which watching does
 * not.
 */
export async function describeLicenseFolder(folder: string): Promise<string> {
  const names = await listLicenseFiles(folder);
  if (!names.ok) {
    return names.error;
  }
  const { counted, surplus } = names.value;
  const lines = await Promise.all(
    [...counted, REVOCATION_FILE].map(async (name) => {
      const { ino, size, mtimeMs, ctimeMs } = await stat(join(folder, name)).catch(nothing);
      return `${name}/${ino}/${size}/${mtimeMs}/${ctimeMs}`;
    }),
  );
  return [...lines, surplus].join('\n');
}

interface LicenseNames {
  readonly counted: readonly string[];
  /** How many there are that do not count. */
  readonly surplus: number;
}

/** The error is a sentence. */
async function listLicenseFiles(folder: string): Promise<Result<LicenseNames, string>> {
  try {
    const names = (await readdir(folder))
      .filter((name) => name.endsWith(LICENSE_EXTENSION) && name !== REVOCATION_FILE)
      .sort();
    const counted = names.slice(0, MAX_FILES);
    return ok({ counted, surplus: names.length - counted.length });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? ok({ counted: [], surplus: 0 })
      : err(`the folder of licences ${folder} cannot be read (${code})`);
  }
}

/** Of a file that has just gone or that may not be looked at. */
function nothing() {
  return { ino: 0, size: 0, mtimeMs: 0, ctimeMs: 0 };
}
