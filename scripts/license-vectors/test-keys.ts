import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import type { BuildFile } from '../../src/licensing/build-keys.ts';
import { computeKeyId, exportPublicKey, type LicenseKind } from '../../src/licensing/keys.ts';

/** The DER of a PKCS #8 Ed25519 key up to its seed of 32 bytes (RFC 8410). */
const PKCS8_START = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface TestKey {
  readonly seed: Buffer;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}

export interface TestVendorKey extends TestKey {
  readonly kid: string;
  readonly kind: LicenseKind;
}

/** A key that anybody can make: its seed is the SHA-256 of a text. For tests alone. */
function makeTestKey(name: string): TestKey {
  const seed = createHash('sha256').update(`edge-infer license test key: ${name}`).digest();
  const der = Buffer.concat([PKCS8_START, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { seed, privateKey, publicKey: exportPublicKey(privateKey) };
}

function makeVendorKey(kind: LicenseKind, name: string): TestVendorKey {
  const key = makeTestKey(name);
  return { ...key, kind, kid: computeKeyId(kind, key.publicKey) };
}

export const testKeys = {
  trial: makeVendorKey('trial', 'trial, current'),
  nextTrial: makeVendorKey('trial', 'trial, next'),
  permanent: makeVendorKey('permanent', 'permanent, current'),
  nextPermanent: makeVendorKey('permanent', 'permanent, next'),
};

/** In no build. */
export const strangerKey = makeVendorKey('permanent', 'stranger');
export const hostKey = makeTestKey('host');

/** A build that knows the four test keys. */
export const testBuildFile: BuildFile = {
  product: 'edge-infer',
  built: '2026-11-22',
  keys: Object.values(testKeys).map(({ kid, kind, publicKey }) => ({ kid, kind, publicKey })),
  evaluation: { enabled: false, days: 30 },
};
