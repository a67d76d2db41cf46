import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import type { DocumentLabel } from './armour.ts';
import { decodeBase64url } from './base64url.ts';
import { parseCanonicalJson } from './canonical-json.ts';

const FORMAT_VERSION = 1;
const SIGNATURE_BYTES = 64;

const envelopeSchema = z.strictObject({
  v: z.literal(FORMAT_VERSION),
  kid: z.string().regex(/^[\w-]{1,64}$/),
  payload: z.string(),
  sig: z.string(),
});

export interface SignedPayload {
  readonly kid: string;
  readonly payload: Buffer;
}

export interface EnvelopeProblem {
  readonly state: 'MALFORMED' | 'UNKNOWN_KEY' | 'BAD_SIGNATURE';
  readonly detail: string;
}

/** Signs a payload with an Ed25519 private key, for one kind of document and one key id. */
export function sealEnvelope(
  label: DocumentLabel,
  { kid, payload }: SignedPayload,
  privateKey: KeyObject,
): Buffer {
  const sig = sign(null, signedBytes(label, kid, payload), privateKey).toString('base64url');
  const envelope = { v: FORMAT_VERSION, kid, payload: payload.toString('base64url'), sig };
  return Buffer.from(JSON.stringify(envelope));
}

/**
 * The payload of an envelope whose signature is right; until then nothing looks into the payload.
 * The key, and with it the algorithm, follows from the key id alone.
 */
export function openEnvelope(
  label: DocumentLabel,
  bytes: Buffer,
  findKey: (kid: string) => KeyObject | undefined,
): Result<SignedPayload, EnvelopeProblem> {
  const json = parseCanonicalJson(bytes);
  if (!json.ok) {
    return malformed(json.error);
  }
  const parsed = envelopeSchema.safeParse(json.value);
  if (!parsed.success) {
    return malformed(describeShape(json.value));
  }
  const { kid, ...fields } = parsed.data;
  const payload = decodeBase64url(fields.payload);
  const sig = decodeBase64url(fields.sig);
  // Parsing orders nothing, so keys in another order were canonical JSON too.
  if (Object.keys(json.value as object).join() !== 'v,kid,payload,sig') {
    return malformed('expected v, kid, payload and sig in this order, found another');
  }
  if (payload === undefined || sig?.length !== SIGNATURE_BYTES) {
    return malformed('expected payload and sig in canonical base64url, found others');
  }
  const key = findKey(kid);
  if (key === undefined) {
    return err({ state: 'UNKNOWN_KEY', detail: `signed with key ${kid}, which is not known here` });
  }
  return verify(null, signedBytes(label, kid, payload), key, sig)
    ? ok({ kid, payload })
    : err({ state: 'BAD_SIGNATURE', detail: `key ${kid} did not sign this content` });
}

function signedBytes(label: DocumentLabel, kid: string, payload: Buffer): Buffer {
  const prefix = `edge-infer ${label.toLowerCase()} v${FORMAT_VERSION}\n${kid}\n`;
  return Buffer.concat([Buffer.from(prefix), payload]);
}

function malformed(detail: string) {
  return err({ state: 'MALFORMED', detail } as const);
}

function describeShape(value: unknown): string {
  const newer = z.looseObject({ v: z.int().min(FORMAT_VERSION + 1) }).safeParse(value);
  return newer.success
    ? `expected format version ${FORMAT_VERSION}, found ${newer.data.v}; it needs a newer edge-infer`
    : 'expected v, kid, payload and sig, found something else';
}
