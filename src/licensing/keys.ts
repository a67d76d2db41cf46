import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.ts';

export const licenseKinds = ['trial', 'permanent'] as const;

export type LicenseKind = (typeof licenseKinds)[number];

const PUBLIC_KEY_BYTES = 32;

/** Reads the 32 bytes of an Ed25519 public key (RFC 8032) from base64url. */
export function importPublicKey(text: string): KeyObject | undefined {
  if (decodeBase64url(text)?.length !== PUBLIC_KEY_BYTES) {
    return undefined;
  }
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' });
}

/** The public half of an Ed25519 key, public or private, as `importPublicKey` reads it. */
export function exportPublicKey(key: KeyObject): string {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (x === undefined || key.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(`expected an Ed25519 key, found ${key.asymmetricKeyType}`);
  }
  return x;
}

/** The name of a vendor's key: what it signs and the start of the SHA-256 of its public half. */
export function computeKeyId(kind: LicenseKind | 'release', publicKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex');
  return `${kind}-${digest.slice(0, 16)}`;
}
