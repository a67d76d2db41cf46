import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { signedBytes } from './host/bin/verify-archive.mjs';

/** A key that signs releases. */
export interface ReleaseKey {
  readonly privateKey: KeyObject;
  /** PEM, as `release-key.pub` of an archive holds it. */
  readonly publicKey: string;
  /** The SHA-256 of `release-key.pub` in hex: what `sha256sum release-key.pub` says. */
  readonly fingerprint: string;
}

export function createReleaseKey(privateKey: KeyObject): ReleaseKey {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const fingerprint = createHash('sha256').update(publicKey).digest('hex');
  return { privateKey, publicKey, fingerprint };
}

/** The 64 bytes of `MANIFEST.sig` (Ed25519, RFC 8032). */
export function signManifest(manifest: Buffer, { privateKey }: ReleaseKey): Buffer {
  return sign(null, signedBytes(manifest), privateKey);
}
