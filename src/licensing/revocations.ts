import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue } from '../core/schema-issue.ts';
import { maxDocumentBytes } from './armour.ts';
import { readBoundedFile } from './bounded-file.ts';
import type { LicenseBuild } from './build-keys.ts';
import { licenseId, printableText, secondsSince1970 } from './claims.ts';
import type { EnvelopeProblem } from './envelope.ts';
import { openSignedDocument, writeSignedDocument } from './signed-document.ts';

const revocationListSchema = z.strictObject({
  issued: secondsSince1970,
  revoked: z.array(z.strictObject({ lic_id: licenseId, reason: printableText.exactOptional() })),
});

/** Licences that are withdrawn, whatever they say themselves. */
export type RevocationList = z.infer<typeof revocationListSchema>;

/** Signs a list. Only the word of a key for permanent licences counts. */
export function writeRevocationList(
  list: RevocationList,
  key: { readonly kid: string; readonly privateKey: KeyObject },
): string {
  return writeSignedDocument('REVOCATION LIST', { kid: key.kid, content: list }, key.privateKey);
}

/** Checks the bytes of a list: armour, envelope, signature, kind of the key, content. */
export function verifyRevocationList(
  file: Uint8Array,
  { keys }: LicenseBuild,
): Result<RevocationList, EnvelopeProblem> {
  const opened = openSignedDocument('REVOCATION LIST', file, (kid) => keys.get(kid)?.publicKey);
  if (!opened.ok) {
    return opened;
  }
  const { kid, content } = opened.value;
  // Keys for trials lie where trials are given away, and must not be able to end a sold licence.
  if (keys.get(kid)?.kind !== 'permanent') {
    const detail = `expected the signature of a key for permanent licences, found that of ${kid}`;
    return err({ state: 'BAD_SIGNATURE', detail });
  }
  const parsed = revocationListSchema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => describeIssue(issue, content, 'the list'));
    return err({ state: 'MALFORMED', detail: problems.join('; ') });
  }
  return ok(parsed.data);
}

export interface Revocations {
  /** The reason of each withdrawn licence, or none, by its `lic_id`. */
  readonly reasons: ReadonlyMap<string, string | undefined>;
  /** Why a list that is there does not count, a sentence each. */
  readonly problems: readonly string[];
}

/**
 * What the lists at these paths withdraw together: that of the release and those beside installed
 * licences. So an old list put in the place of a new one brings nothing back that another holds.
 * A list that is not there is no problem.
 */
export async function readRevocations(
  paths: readonly string[],
  build: LicenseBuild,
): Promise<Revocations> {
  const reasons = new Map<string, string | undefined>();
  const problems: string[] = [];
  for (const path of paths) {
    const list = await readRevocationList(path, build);
    if (!list.ok) {
      problems.push(list.error);
    }
    for (const { lic_id: licId, reason } of list.ok ? list.value.revoked : []) {
      reasons.set(licId, reason ?? reasons.get(licId));
    }
  }
  return { reasons, problems };
}

/** The list at a path, or an empty one where there is none. The error is a sentence. */
export async function readRevocationList(
  path: string,
  build: LicenseBuild,
): Promise<Result<RevocationList, string>> {
  const file = await readBoundedFile(path, maxDocumentBytes['REVOCATION LIST'], {
    followsLinks: true,
  });
  if (!file.ok) {
    return file.error.isMissing
      ? ok({ issued: 0, revoked: [] })
      : err(`${path}: ${file.error.detail}`);
  }
  const list = verifyRevocationList(file.value, build);
  return list.ok ? list : err(`${path}: ${list.error.detail}`);
}
