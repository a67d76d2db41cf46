import { type KeyObject, sign } from 'node:crypto';
import type { PassphraseSource } from '../../src/cli/vendor/passphrase.ts';
import { allOrThrow } from '../../src/cli/vendor/problems.ts';
import { describeReleaseKey, type PublicReleaseKey } from '../../src/cli/vendor/release-key.ts';
import { readKeyFile, unlockKey } from '../../src/cli/vendor/signing-key.ts';
import { OperatorError } from '../../src/core/errors.ts';
import { exportPublicKey } from '../../src/licensing/keys.ts';
import { signedBytes } from './host/bin/verify-archive.mjs';

/** A key that signs releases. */
export interface ReleaseKey extends PublicReleaseKey {
  readonly privateKey: KeyObject;
}

/** Opens a key file of `edge-infer vendor keygen --kind release`. Throws an OperatorError. */
export async function openReleaseKey(
  path: string,
  passphrase: PassphraseSource,
): Promise<ReleaseKey> {
  const { locked } = allOrThrow({ locked: await readKeyFile(path) });
  const { kid, kind } = locked.file;
  if (kind !== 'release') {
    const text = `--key ${path}: expected a key that signs releases, found ${kid}`;
    throw new OperatorError(
      'DATA',
      `${text}; make one with "edge-infer vendor keygen --kind release"`,
    );
  }
  const { privateKey } = await unlockKey(locked, passphrase);
  return createReleaseKey(privateKey);
}

export function createReleaseKey(privateKey: KeyObject): ReleaseKey {
  return { privateKey, ...describeReleaseKey(exportPublicKey(privateKey)) };
}

/** The 64 bytes of `MANIFEST.sig` (Ed25519, RFC 8032). */
export function signManifest(manifest: Buffer, { privateKey }: ReleaseKey): Buffer {
  return sign(null, signedBytes(manifest), privateKey);
}
