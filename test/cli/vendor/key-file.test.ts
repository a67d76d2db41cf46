import { expect, test } from 'vitest';
import {
  decryptKey,
  encryptKey,
  generateKey,
  parseKeyFile,
} from '../../../src/cli/vendor/key-file.ts';
import { exportPublicKey } from '../../../src/licensing/keys.ts';

const passphrase = 'correct horse battery';
const key = generateKey('trial');
const file = await encryptKey(key, passphrase);
const text = JSON.stringify(file);

test('gives the key back with its passphrase alone', async () => {
  const parsed = parseKeyFile(text);
  expect(parsed).toEqual({ ok: true, value: file });
  const opened = await decryptKey(file, passphrase);
  expect(opened.ok && exportPublicKey(opened.value)).toBe(key.entry.publicKey);
  expect(await decryptKey(file, `${passphrase} `)).toEqual({
    ok: false,
    error: 'the passphrase is not the one of this key, or the file is damaged',
  });
});

test('holds nothing of the private key in the open', () => {
  const { d = '' } = key.privateKey.export({ format: 'jwk' });
  expect(d).toHaveLength(43);
  expect(text).not.toContain(d);
  expect(text).not.toContain(Buffer.from(d, 'base64url').toString('hex'));
  expect(file.scrypt.N).toBeGreaterThanOrEqual(2 ** 15);
});

test('encrypts alike keys and passphrases differently', async () => {
  const again = await encryptKey(key, passphrase);
  expect(again.scrypt.salt).not.toBe(file.scrypt.salt);
  expect(again['aes-256-gcm'].ciphertext).not.toBe(file['aes-256-gcm'].ciphertext);
});

test('a changed file is refused, its open part as well', async () => {
  const { iv, ciphertext } = file['aes-256-gcm'];
  const flipped = `${ciphertext.startsWith('A') ? 'B' : 'A'}${ciphertext.slice(1)}`;
  const changed = { ...file, 'aes-256-gcm': { iv, ciphertext: flipped } };
  expect((await decryptKey(changed, passphrase)).ok).toBe(false);
  const cut = { ...file, 'aes-256-gcm': { iv, ciphertext: ciphertext.slice(0, 8) } };
  expect((await decryptKey(cut, passphrase)).ok).toBe(false);

  const other = generateKey('permanent').entry;
  expect((await decryptKey({ ...file, ...other }, passphrase)).ok).toBe(false);
  expect(parseKeyFile(JSON.stringify({ ...file, kind: 'permanent' }))).toEqual({
    ok: false,
    error: 'expected a key id that follows from kind and publicKey, found another',
  });
});

test.each([
  ['key', 'expected the JSON of a signing key, found something else'],
  ['[]', 'expected a signing key; the file: expected an object, found an empty list'],
  [JSON.stringify({ ...file, scrypt: { ...file.scrypt, N: 2 } }), 'scrypt.N: expected at least'],
  [JSON.stringify({ ...file, scrypt: { ...file.scrypt, N: 2 ** 30 } }), 'scrypt.N: expected at m'],
])('%s is refused', (content, reason) => {
  const parsed = parseKeyFile(content);
  expect(parsed.ok ? '' : parsed.error).toContain(reason);
});
