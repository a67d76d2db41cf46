import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue } from '../core/schema-issue.ts';
import { licenseId, secondsSince1970 } from './claims.ts';
import { exportPublicKey, importPublicKey } from './keys.ts';
import { openSignedDocument, writeSignedDocument } from './signed-document.ts';

const KEY_ID_START = 'holder-';

const releaseSchema = z.strictObject({ lic_id: licenseId, time: secondsSince1970 });

/** A host's own word that it gave a licence up. */
export interface Release {
  readonly licId: string;
  /** When, in seconds since 1970, by that host's clock. */
  readonly time: number;
  /** The public key that signed: only that of the licence's `holder` claim means anything. */
  readonly holder: string;
}

/** The file that proves a release, signed with the private key of the host. */
export function writeRelease(
  { licId, time }: Pick<Release, 'licId' | 'time'>,
  hostKey: KeyObject,
): string {
  const kid = `${KEY_ID_START}${exportPublicKey(hostKey)}`;
  const content = { lic_id: licId, time };
  return writeSignedDocument('LICENSE RELEASE', { kid, content }, hostKey);
}

/** Checks a release with the key that it names itself; the error is a sentence. */
export function verifyRelease(file: Uint8Array): Result<Release, string> {
  const opened = openSignedDocument('LICENSE RELEASE', file, findHolderKey);
  if (!opened.ok) {
    return err(opened.error.detail);
  }
  const { kid, content } = opened.value;
  const parsed = releaseSchema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) =>
      describeIssue(issue, content, 'the content'),
    );
    return err(problems.join('; '));
  }
  const { lic_id: licId, time } = parsed.data;
  return ok({ licId, time, holder: kid.slice(KEY_ID_START.length) });
}

function findHolderKey(kid: string): KeyObject | undefined {
  return kid.startsWith(KEY_ID_START) ? importPublicKey(kid.slice(KEY_ID_START.length)) : undefined;
}
