import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import { ok } from '../../core/result.ts';
import type { LicenseBuild } from '../../licensing/build-keys.ts';
import type { Claims } from '../../licensing/claims.ts';
import { writeSignedDocument } from '../../licensing/signed-document.ts';
import { verifyLicense } from '../../licensing/verify-license.ts';
import { prepareNewFile } from '../write-file.ts';
import { type Checked, refuse } from './problems.ts';
import type { Reissue } from './register-entry.ts';
import { appendToRegister } from './register-file.ts';
import type { SigningKey } from './signing-key.ts';

export function createLicenseId(): string {
  return `lic-${randomBytes(10).toString('hex')}`;
}

/** The text of a licence, which the releases of this build accept: they are asked here. */
export function signLicense(claims: Claims, key: SigningKey, build: LicenseBuild): string {
  const file = writeSignedDocument('LICENSE', { kid: key.kid, content: claims }, key.privateKey);
  const verdict = verifyLicense(Buffer.from(file), build);
  if (!verdict.ok) {
    const { state, detail } = verdict.error;
    throw new OperatorError('DATA', `the licence would be refused as ${state}: ${detail}`);
  }
  return file;
}

/** Whether a licence can be written there: told before anybody types a passphrase. */
export async function checkFree(path: string): Promise<Checked<undefined>> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere
    ? refuse('DATA', `--out ${path}: expected nothing there, found a file; none is overwritten`)
    : ok(undefined);
}

export interface HandOut {
  readonly claims: Claims;
  readonly file: string;
  readonly out: string;
  readonly register: string;
  readonly now: Date;
  readonly reissue?: Reissue;
}

/**
 * Records a licence and then gives out its file: so none is ever out that the register lacks.
 * Throws an OperatorError.
 */
export async function handOut(given: HandOut): Promise<void> {
  const { claims, file, out, register, now, reissue } = given;
  const prepared = await prepareNewFile({ path: resolve(out), text: file });
  const { lic_id: licId, customer } = claims;
  try {
    await appendToRegister(register, [
      {
        at: now.toISOString(),
        event: 'issued',
        lic_id: licId,
        customer,
        ...(reissue === undefined ? {} : { reissue }),
        file,
      },
    ]);
    await prepared.publish().catch((error: unknown) => {
      const { message } = error as Error;
      throw new OperatorError(
        'OS',
        `${message}; the licence is in the register: "edge-infer vendor export ${licId}" writes it`,
        { cause: error },
      );
    });
  } finally {
    await prepared.discard();
  }
}
