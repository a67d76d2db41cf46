import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue } from '../core/schema-issue.ts';
import { maxDocumentBytes } from './armour.ts';
import { readBoundedFile } from './bounded-file.ts';
import type { LicenseBuild } from './build-keys.ts';
import { licenseId, printableText, secondsSince1970 } from './claims.ts';
import type { EnvelopeProblem } from './envelope.ts';
import { createRecordFile, type RecordPlace, type RecordText } from './record-file.ts';
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

/** The name of the copy of the newest list, beside the records. */
const COPY = 'license-revocations';

/** Where a host keeps a copy of the newest list that it has seen. */
export function createRevocationCopy(folder: string): RecordPlace {
  const maxBytes = maxDocumentBytes['REVOCATION LIST'];
  return createRecordFile(folder, { name: COPY, isOptional: true, maxBytes });
}

/**
 * What the lists at these paths withdraw together: that of the release, those beside installed
 * licences and the copies. So a list that is deleted, or replaced by an old one, brings nothing
 * back: the newest is copied to each place. A list that is not there is no problem, nor is a copy
 * that does not count.
 */
export async function readRevocations(
  paths: readonly string[],
  build: LicenseBuild,
  copies: readonly RecordPlace[] = [],
): Promise<Revocations> {
  const found = await Promise.all(paths.map((path) => readSignedList(path, build)));
  const kept = await Promise.all(copies.map(async (copy) => readCopy(await copy.read(), build)));
  const lists = found.flatMap((each) => (each.ok ? each.value : []));
  const newest = [...lists, ...kept.flat()].reduce<SignedList | undefined>(newer, undefined);
  const reasons = new Map<string, string | undefined>();
  // Older copies do not count, so that a vendor can take a withdrawal back.
  for (const { list } of newest === undefined ? [] : [...lists, newest]) {
    for (const { lic_id: licId, reason } of list.revoked) {
      reasons.set(licId, reason ?? reasons.get(licId));
    }
  }
  for (const [index, copy] of copies.entries()) {
    const [theirs] = kept[index] ?? [];
    if (newest === undefined || (theirs && theirs.list.issued >= newest.list.issued)) continue;
    // Where it cannot be written, the records cannot either, which is told.
    await copy.revise((present) => {
      const [theirs] = readCopy(present, build);
      const { text } = newer(theirs, newest);
      const isDamaged = theirs === undefined && (present.ok || !present.error.isMissing);
      return { text, replacesDamage: isDamaged };
    });
  }
  return { reasons, problems: found.flatMap((each) => (each.ok ? [] : each.error)) };
}

interface SignedList {
  readonly list: RevocationList;
  /** As it was signed. */
  readonly text: string;
}

function newer(a: SignedList | undefined, b: SignedList): SignedList {
  return a === undefined || b.list.issued > a.list.issued ? b : a;
}

/** None or one. */
function readCopy(text: RecordText, build: LicenseBuild): SignedList[] {
  const list = text.ok ? verifyRevocationList(Buffer.from(text.value), build) : text;
  return text.ok && list.ok ? [{ list: list.value, text: text.value }] : [];
}

/** The list at a path, or an empty one where there is none. The error is a sentence. */
export async function readRevocationList(
  path: string,
  build: LicenseBuild,
): Promise<Result<RevocationList, string>> {
  const signed = await readSignedList(path, build);
  return signed.ok ? ok(signed.value[0]?.list ?? { issued: 0, revoked: [] }) : signed;
}

/** None or one. */
async function readSignedList(
  path: string,
  build: LicenseBuild,
): Promise<Result<SignedList[], string>> {
  const file = await readBoundedFile(path, maxDocumentBytes['REVOCATION LIST'], {
    followsLinks: true,
  });
  if (!file.ok) {
    return file.error.isMissing ? ok([]) : err(`${path}: ${file.error.detail}`);
  }
  const list = verifyRevocationList(file.value, build);
  return list.ok
    ? ok([{ list: list.value, text: file.value.toString() }])
    : err(`${path}: ${list.error.detail}`);
}
