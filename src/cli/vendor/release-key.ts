import { createHash } from 'node:crypto';
import { importPublicKey } from '../../licensing/keys.ts';

/** What customers are told of the key that signs releases. */
export interface PublicReleaseKey {
  /** PEM: the whole of `release-key.pub` in an archive. */
  readonly pem: string;
  /** What `sha256sum release-key.pub` says: hex. */
  readonly fingerprint: string;
}

/** Of the public half in base64url, as a key file holds it. */
export function describeReleaseKey(publicKey: string): PublicReleaseKey {
  const key = importPublicKey(publicKey);
  if (key === undefined) {
    throw new TypeError('expected the public half of a checked key file');
  }
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  return { pem, fingerprint: createHash('sha256').update(pem).digest('hex') };
}
