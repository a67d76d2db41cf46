import { err, ok, type Result } from '../core/result.ts';
import type { LicenseBuild } from './build-keys.ts';
import { type Claims, parseClaims } from './claims.ts';
import { openSignedDocument } from './signed-document.ts';

/** A licence whose signature, form and product are right; whether it fits this host is not said. */
export interface License {
  readonly kid: string;
  readonly claims: Claims;
}

/** Why a file is no licence of this product. */
export interface LicenseRefusal {
  readonly state: 'NOT_FOUND' | 'MALFORMED' | 'BAD_SIGNATURE' | 'UNKNOWN_KEY' | 'PRODUCT_MISMATCH';
  /** What was expected and what was found; several problems are separated by `; `. */
  readonly detail: string;
  /** Whether the file could not even be read, so that it may be a good licence. */
  readonly isUnread?: true;
}

/** Checks the bytes of a licence file, in order: armour, envelope, signature, content, product. */
export function verifyLicense(
  file: Uint8Array,
  build: LicenseBuild,
): Result<License, LicenseRefusal> {
  const opened = openSignedDocument('LICENSE', file, (kid) => build.keys.get(kid)?.publicKey);
  if (!opened.ok) {
    return opened;
  }
  const { kid, content } = opened.value;
  const claims = parseClaims(content);
  if (!claims.ok) {
    return refuse('MALFORMED', claims.error.join('; '));
  }
  const { kind, product } = claims.value;
  // Whoever holds the key for trials only must not be able to make a permanent licence.
  const signs = build.keys.get(kid)?.kind;
  if (kind !== signs) {
    return refuse('BAD_SIGNATURE', `a ${kind} licence, but signed with a key for ${signs} ones`);
  }
  return product === build.product
    ? ok({ kid, claims: claims.value })
    : refuse('PRODUCT_MISMATCH', `expected a licence for ${build.product}, found ${product}`);
}

function refuse(state: LicenseRefusal['state'], detail: string) {
  return err({ state, detail });
}
