import { err, type Result } from '../core/result.ts';
import { maxDocumentBytes } from './armour.ts';
import { readBoundedFile } from './bounded-file.ts';
import type { LicenseBuild } from './build-keys.ts';
import { type License, type LicenseRefusal, verifyLicense } from './verify-license.ts';

/** Reads and checks a licence file. Never throws, and never reads more than a licence may have. */
export async function readLicenseFile(
  path: string,
  build: LicenseBuild,
): Promise<Result<License, LicenseRefusal>> {
  const file = await readBoundedFile(path, maxDocumentBytes.LICENSE, { followsLinks: true });
  if (file.ok) {
    return verifyLicense(file.value, build);
  }
  const { isMissing, ...problem } = file.error;
  return err({ state: isMissing ? 'NOT_FOUND' : 'MALFORMED', ...problem });
}
