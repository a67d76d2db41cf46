import { z } from 'zod';
import { err, ok, type Result } from '../../core/result.ts';
import { describeIssue } from '../../core/schema-issue.ts';
import { readArmour } from '../../licensing/armour.ts';
import { type Claims, licenseId, parseClaims, printableText } from '../../licensing/claims.ts';

const at = z.iso.datetime('expected a time such as 2026-11-22T12:00:00.000Z');

/** How a licence came to take the place of another. */
const reissueSchema = z.strictObject({
  of: licenseId,
  /** Proved by the old host, or only the customer's word that it is dead. */
  because: z.enum(['released', 'lost']),
});

const entrySchema = z.discriminatedUnion('event', [
  z.strictObject({
    at,
    event: z.literal('issued'),
    /** As in the licence, for whoever searches the register without this program. */
    lic_id: licenseId,
    customer: printableText,
    reissue: reissueSchema.exactOptional(),
    /** The whole licence file. */
    file: z.string(),
  }),
  z.strictObject({
    at,
    event: z.literal('resigned'),
    lic_id: licenseId,
    file: z.string(),
  }),
  z.strictObject({
    at,
    event: z.literal('revoked'),
    lic_id: licenseId,
    reason: printableText.exactOptional(),
  }),
]);

/** One line of the register. */
export type RegisterEntry = z.infer<typeof entrySchema>;
export type Reissue = z.infer<typeof reissueSchema>;

/** Checks one line's JSON; the error is a sentence. */
export function parseRegisterEntry(json: unknown): Result<RegisterEntry, string> {
  const parsed = entrySchema.safeParse(json);
  return parsed.success
    ? ok(parsed.data)
    : err(parsed.error.issues.map((issue) => describeIssue(issue, json, 'the line')).join('; '));
}

export interface RecordedLicense {
  readonly kid: string;
  readonly claims: Claims;
}

/**
 * What a licence file of the register says. Its signature is not asked: the key may long be out of
 * every build, and the register is the vendor's own.
 */
export function readRecordedLicense(file: string): Result<RecordedLicense, string> {
  const armoured = readArmour(Buffer.from(file), 'LICENSE');
  if (!armoured.ok) {
    return armoured;
  }
  try {
    const { kid, payload } = envelopeSchema.parse(JSON.parse(armoured.value.toString()));
    const claims = parseClaims(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return claims.ok ? ok({ kid, claims: claims.value }) : err(claims.error.join('; '));
  } catch {
    return err('expected the envelope of a licence, found something else'); // JSON or its shape
  }
}

const envelopeSchema = z.object({ kid: z.string(), payload: z.string() });
