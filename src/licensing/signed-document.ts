import type { KeyObject } from 'node:crypto';
import { err, type Result } from '../core/result.ts';
import { type DocumentLabel, readArmour, writeArmour } from './armour.ts';
import { parseCanonicalJson } from './canonical-json.ts';
import { type EnvelopeProblem, openEnvelope, sealEnvelope } from './envelope.ts';

/** What a signed file says, and the id of the key that signed it. */
export interface SignedContent {
  readonly kid: string;
  /** JSON of the document's kind, whose form is not checked yet. */
  readonly content: unknown;
}

/** The text of a signed file. */
export function writeSignedDocument(
  label: DocumentLabel,
  { kid, content }: SignedContent,
  privateKey: KeyObject,
): string {
  const payload = Buffer.from(JSON.stringify(content));
  return writeArmour(label, sealEnvelope(label, { kid, payload }, privateKey));
}

/** Checks the bytes of a signed file, in order: armour, envelope, signature, JSON. */
export function openSignedDocument(
  label: DocumentLabel,
  file: Uint8Array,
  findKey: (kid: string) => KeyObject | undefined,
): Result<SignedContent, EnvelopeProblem> {
  const armoured = readArmour(file, label);
  if (!armoured.ok) {
    return malformed(armoured.error);
  }
  const opened = openEnvelope(label, armoured.value, findKey);
  if (!opened.ok) {
    return opened;
  }
  const { kid, payload } = opened.value;
  const json = parseCanonicalJson(payload);
  return json.ok ? { ok: true, value: { kid, content: json.value } } : malformed(json.error);
}

function malformed(detail: string) {
  return err({ state: 'MALFORMED', detail } as const);
}
