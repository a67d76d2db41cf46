import type { KeyObject } from 'node:crypto';
import { OperatorError } from '../../core/errors.ts';
import { ok } from '../../core/result.ts';
import type { LicenseBuild } from '../../licensing/build-keys.ts';
import type { LicenseKind } from '../../licensing/keys.ts';
import { decryptKey, type KeyFile, type KeyKind, parseKeyFile } from './key-file.ts';
import { type PassphraseSource, readPassphrase } from './passphrase.ts';
import { type Checked, refuse } from './problems.ts';
import { readNamedFile } from './read-file.ts';

const MAX_KEY_FILE_BYTES = 8192;

/** A key file that was read and found right, its private half still encrypted. */
export interface LockedKey {
  readonly path: string;
  readonly file: KeyFile;
}

export interface SigningKey {
  readonly kid: string;
  readonly kind: KeyKind;
  readonly privateKey: KeyObject;
}

export async function readKeyFile(path: string): Promise<Checked<LockedKey>> {
  const bytes = await readNamedFile('--key', path, MAX_KEY_FILE_BYTES);
  if (!bytes.ok) {
    return bytes;
  }
  const file = parseKeyFile(bytes.value.toString());
  return file.ok ? ok({ path, file: file.value }) : refuse('DATA', `--key ${path}: ${file.error}`);
}

/** Whether what this key signs of this kind will count in the releases of a build. */
export function checkFitness(
  { path, file: { kid, kind } }: LockedKey,
  wanted: LicenseKind,
  build: LicenseBuild,
): Checked<undefined> {
  const texts = [
    kind === wanted ? [] : [`--key ${path}: expected a key for ${wanted} licences, found ${kid}`],
    build.keys.has(kid)
      ? []
      : [
          `--key ${path}: no release of this build would accept ${kid}, which is not in its build.json; "edge-infer vendor inspect ${path}" prints the entry for it`,
        ],
  ].flat();
  return texts.length === 0 ? ok(undefined) : refuse('DATA', ...texts);
}

/** Asks for the passphrase, after everything else was found right. Throws an OperatorError. */
export async function unlockKey(
  { path, file }: LockedKey,
  source: PassphraseSource,
): Promise<SigningKey> {
  const { kid, kind } = file;
  const privateKey = await decryptKey(file, await readPassphrase(source, kid));
  if (!privateKey.ok) {
    throw new OperatorError('DATA', `--key ${path}: ${privateKey.error}`);
  }
  return { kid, kind, privateKey: privateKey.value };
}
