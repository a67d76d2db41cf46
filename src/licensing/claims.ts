import { z } from 'zod';
import { deployNameExpected, isDeployName } from '../core/deploy-name.ts';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue } from '../core/schema-issue.ts';
import { decodeBase64url } from './base64url.ts';
import { importPublicKey, licenseKinds } from './keys.ts';

/** Changes when a fingerprint means something else: other components, hashes or weights. */
const FINGERPRINT_SCHEMA = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 8;
/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;

const base64urlOf = (bytes: number) =>
  z
    .string()
    .refine(
      (text) => decodeBase64url(text)?.length === bytes,
      `expected ${bytes} bytes in base64url`,
    );
export const printableText = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text), 'expected one line of text');
export const secondsSince1970 = z.int().min(0).max(LAST_SECOND);
const hash = base64urlOf(HASH_BYTES);
export const licenseId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{7,63}$/, 'expected 8 to 64 of a-z 0-9 -, not starting with -');
export const productName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'expected 1 to 64 of a-z 0-9 . -, not starting with . or -');

const hostFingerprint = z
  .strictObject({
    schema: z.literal(FINGERPRINT_SCHEMA),
    salt: base64urlOf(SALT_BYTES),
    /** The weight that must still match. */
    need: z.int().min(1),
    /** Kind, salted hash, weight. Of several of one kind any one earns the weight, once. */
    components: z
      .array(
        z.strictObject({
          k: z.string().regex(/^[a-z][a-z-]{0,31}$/, 'expected the kind of a component'),
          h: hash,
          w: z.int().min(1).max(100),
        }),
      )
      .min(1),
  })
  .refine(({ need, components }) => need <= sumWeights(components), {
    error: 'expected components that can reach need, found less weight',
    path: ['components'],
  });

const cardFingerprint = z.strictObject({
  schema: z.literal(FINGERPRINT_SCHEMA),
  salt: base64urlOf(SALT_BYTES),
  gpu: hash,
});

/** Unknown claims pass, so that they can be added; `crit` names those that may not be ignored. */
const commonClaims = z.looseObject({
  lic_id: licenseId,
  customer: printableText,
  product: productName,
  deploy_name: z.string().refine(isDeployName, `expected ${deployNameExpected}`),
  kind: z.enum(licenseKinds),
  /** Issued at and, for a trial, expires at: seconds since 1970. */
  iat: secondsSince1970,
  exp: secondsSince1970.exactOptional(),
  /** The last day whose releases are covered, compared with a release's build date; absent: all. */
  updates_until: z.iso.date('expected a date such as 2027-12-31').exactOptional(),
  /** The host's own public key, Ed25519, from the request. */
  holder: z
    .string()
    .refine((text) => importPublicKey(text) !== undefined, 'expected 32 bytes in base64url'),
  container: z.enum(['allow', 'deny']),
  features: z.array(printableText).exactOptional(),
  models: z.array(printableText).exactOptional(),
  limits: z.record(printableText, z.int().min(0)).exactOptional(),
  /** Licences that this one takes the place of. */
  replaces: z.array(licenseId).exactOptional(),
  crit: z.array(z.string()).exactOptional(),
});

/** Claims that this release acts on; the others may not be in `crit`. */
const understood = new Set(Object.keys(commonClaims.shape)).union(new Set(['tier', 'fp']));
for (const passedOver of ['features', 'limits', 'crit']) {
  understood.delete(passedOver);
}

const claimsSchema = z
  .discriminatedUnion('tier', [
    commonClaims.extend({ tier: z.literal('cpu'), fp: hostFingerprint }),
    commonClaims.extend({ tier: z.literal('gpu'), fp: cardFingerprint }),
  ])
  .superRefine((claims, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (claims.kind === 'permanent' && claims.exp !== undefined) {
      report('exp', 'expected no end for a permanent licence, found one');
    }
    if (claims.kind === 'trial' && claims.exp === undefined) {
      report('exp', 'expected an end for a trial');
    }
    if (claims.exp !== undefined && claims.exp <= claims.iat) {
      report('exp', 'expected an end after iat');
    }
    for (const name of claims.crit ?? []) {
      if (!understood.has(name) || !Object.hasOwn(claims, name)) {
        report('crit', `expected claims that this release enforces, found ${JSON.stringify(name)}`);
      }
    }
  });

/** What a licence says, as checked plain data. */
export type Claims = z.infer<typeof claimsSchema>;

/** Checks the content of a licence; the error names every problem, a sentence each. */
export function parseClaims(value: unknown): Result<Claims, string[]> {
  const parsed = claimsSchema.safeParse(value);
  return parsed.success
    ? ok(parsed.data)
    : err(parsed.error.issues.map((issue) => describeIssue(issue, value, 'the content')));
}

function sumWeights(components: readonly { readonly k: string; readonly w: number }[]): number {
  const weights = new Map(components.map(({ k, w }) => [k, w]));
  return weights.values().reduce((sum, weight) => sum + weight, 0);
}
