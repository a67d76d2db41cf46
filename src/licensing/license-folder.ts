import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LicenseBuild } from './build-keys.ts';
import type { FoundLicense } from './judge-license.ts';
import { readLicenseFile } from './read-license-file.ts';

export const LICENSE_EXTENSION = '.lic';
/** The vendor's signed list of withdrawn licences: no licence, though it lies among them. */
export const REVOCATION_FILE = 'revoked.lic';

/** Far more than a host has services; a folder of thousands would be another folder. */
const MAX_FILES = 256;

/** Reads every licence in a folder, in order of names; a folder that is not there holds none. */
export async function readLicenseFolder(
  folder: string,
  build: LicenseBuild,
): Promise<FoundLicense[]> {
  const names = await listLicenseFiles(folder);
  const licenses = names.filter((name) => name !== REVOCATION_FILE);
  return Promise.all(
    licenses.map(async (file) => ({
      file,
      license: await readLicenseFile(join(folder, file), build),
    })),
  );
}

/**
 * A text that differs when a licence or the list in the folder was added, removed or written. Asking for it
 * every second works on any file system, also when the folder comes and goes, which watching does
 * not.
 */
export async function describeLicenseFolder(folder: string): Promise<string> {
  const names = await listLicenseFiles(folder);
  const lines = await Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeMs, ctimeMs } = await stat(join(folder, name)).catch(nothing);
      return `${name}/${ino}/${size}/${mtimeMs}/${ctimeMs}`;
    }),
  );
  return lines.join('\n');
}

async function listLicenseFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith(LICENSE_EXTENSION))
    .sort()
    .slice(0, MAX_FILES);
}

/** Of a file that has just gone or that may not be looked at. */
function nothing() {
  return { ino: 0, size: 0, mtimeMs: 0, ctimeMs: 0 };
}
