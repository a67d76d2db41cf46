import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { err, ok, type Result } from '../../core/result.ts';
import { describeIssue } from '../../core/schema-issue.ts';
import { computeKeyId, exportPublicKey, licenseKinds } from '../../licensing/keys.ts';

const FORMAT = 'edge-infer signing key';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** scrypt's N: each guess takes 128 MiB of memory and a third of a second. */
const USUAL_COST = 2 ** 17;
export const MIN_COST = 2 ** 15;
const MAX_COST = 2 ** 20;
const BLOCK_SIZE = 8;

/** What a key signs: licences of a kind, or the archives of releases. */
export const keyKinds = [...licenseKinds, 'release'] as const;

export type KeyKind = (typeof keyKinds)[number];

const base64url = z.base64url();

const keyFileSchema = z.strictObject({
  format: z.literal(FORMAT),
  v: z.literal(1),
  kid: z.string(),
  kind: z.enum(keyKinds),
  publicKey: z.string(),
  scrypt: z.strictObject({
    N: z.int().min(MIN_COST).max(MAX_COST),
    r: z.literal(BLOCK_SIZE),
    p: z.literal(1),
    salt: base64url,
  }),
  [CIPHER]: z.strictObject({
    iv: base64url,
    /** The PKCS #8 DER of the Ed25519 key, then the tag of 16 bytes. */
    ciphertext: base64url,
  }),
});

/** A signing key as it lies on the disk; all but the encrypted part can be read by anybody. */
export type KeyFile = z.infer<typeof keyFileSchema>;

/** What anybody may know of a key; for one that signs licences its entry in `license/build.json`. */
export interface KeyEntry<Kind extends KeyKind = KeyKind> {
  readonly kid: string;
  readonly kind: Kind;
  readonly publicKey: string;
}

export function keyEntry({ kid, kind, publicKey }: KeyFile): KeyEntry {
  return { kid, kind, publicKey };
}

export interface NewKey<Kind extends KeyKind = KeyKind> {
  readonly entry: KeyEntry<Kind>;
  readonly privateKey: KeyObject;
}

export function generateKey<Kind extends KeyKind>(kind: Kind): NewKey<Kind> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = exportPublicKey(privateKey);
  return { entry: { kid: computeKeyId(kind, publicKey), kind, publicKey }, privateKey };
}

/** Encrypts a key under a passphrase. `cost` is scrypt's N, a power of two. */
export async function encryptKey(
  { entry, privateKey }: NewKey,
  passphrase: string,
  cost = USUAL_COST,
): Promise<KeyFile> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, await deriveKey(passphrase, salt, cost), iv);
  cipher.setAAD(authenticatedText(entry.kid));
  const ciphertext = Buffer.concat([
    cipher.update(privateKey.export({ format: 'der', type: 'pkcs8' })),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return {
    format: FORMAT,
    v: 1,
    ...entry,
    scrypt: { N: cost, r: BLOCK_SIZE, p: 1, salt: salt.toString('base64url') },
    [CIPHER]: { iv: iv.toString('base64url'), ciphertext: ciphertext.toString('base64url') },
  };
}

/** Checks the text of a key file; the error is a sentence that quotes nothing encrypted. */
export function parseKeyFile(text: string): Result<KeyFile, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err('expected the JSON of a signing key, found something else');
  }
  const parsed = keyFileSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => describeIssue(issue, json, 'the file'));
    return err(`expected a signing key; ${problems.join('; ')}`);
  }
  const { kind, kid, publicKey } = parsed.data;
  return kid === computeKeyId(kind, publicKey)
    ? ok(parsed.data)
    : err('expected a key id that follows from kind and publicKey, found another');
}

/** The private key; the error is a sentence. */
export async function decryptKey(
  file: KeyFile,
  passphrase: string,
): Promise<Result<KeyObject, string>> {
  const { N, salt } = file.scrypt;
  const key = await deriveKey(passphrase, Buffer.from(salt, 'base64url'), N);
  const { iv, ciphertext } = file[CIPHER];
  const sealed = Buffer.from(ciphertext, 'base64url');
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(iv, 'base64url'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(authenticatedText(file.kid));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const der = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return exportPublicKey(createPublicKey(privateKey)) === file.publicKey
      ? ok(privateKey)
      : err('its private and its public half belong to different keys');
  } catch {
    return err('the passphrase is not the one of this key, or the file is damaged'); // no telling
  }
}

function deriveKey(passphrase: string, salt: Buffer, cost: number): Promise<Buffer> {
  const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
  const maxmem = 2 * 128 * cost * BLOCK_SIZE;
  return derive(passphrase, salt, KEY_BYTES, { N: cost, r: BLOCK_SIZE, p: 1, maxmem });
}

/** What the tag vouches for beside the private key. */
function authenticatedText(kid: string): Buffer {
  return Buffer.from(`${FORMAT} v1\n${kid}`);
}
