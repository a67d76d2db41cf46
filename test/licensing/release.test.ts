import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { hostKey, testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { exportPublicKey } from '../../src/licensing/keys.ts';
import { verifyRelease, writeRelease } from '../../src/licensing/release.ts';
import { writeSignedDocument } from '../../src/licensing/signed-document.ts';

const release = { licId: 'lic-00000000000000000002', time: 1_800_000_000 };
const file = Buffer.from(writeRelease(release, hostKey.privateKey));

test('says which licence a host gave up, and which host', () => {
  expect(verifyRelease(file)).toEqual({
    ok: true,
    value: { ...release, holder: hostKey.publicKey },
  });
});

test('another host can only release in its own name', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const own = verifyRelease(Buffer.from(writeRelease(release, privateKey)));
  expect(own).toMatchObject({ value: { holder: exportPublicKey(privateKey) } });

  const kid = `holder-${hostKey.publicKey}`;
  const content = { lic_id: release.licId, time: release.time };
  const forged = writeSignedDocument('LICENSE RELEASE', { kid, content }, privateKey);
  expect(verifyRelease(Buffer.from(forged))).toEqual({
    ok: false,
    error: `key ${kid} did not sign this content`,
  });
});

test('is refused with any bit changed and at any length', () => {
  for (let bit = 0; bit < file.length * 8; bit += 1) {
    const changed = Buffer.from(file);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(verifyRelease(changed).ok, `bit ${bit}`).toBe(false);
  }
  for (let length = 0; length < file.length; length += 1) {
    expect(verifyRelease(file.subarray(0, length)).ok, `${length} bytes`).toBe(false);
  }
});

test('names every problem of its content', () => {
  const kid = `holder-${hostKey.publicKey}`;
  const content = { lic_id: '../x', time: -1, more: true };
  const text = writeSignedDocument('LICENSE RELEASE', { kid, content }, hostKey.privateKey);
  const verdict = verifyRelease(Buffer.from(text));
  expect(verdict.ok ? '' : verdict.error.split('; ').map((part) => part.split(':')[0])).toEqual([
    'lic_id',
    'time',
    'the content',
  ]);
});

test("is not signed with a vendor's key", () => {
  const content = { lic_id: release.licId, time: release.time };
  const { kid, privateKey } = testKeys.permanent;
  const text = writeSignedDocument('LICENSE RELEASE', { kid, content }, privateKey);
  expect(verifyRelease(Buffer.from(text))).toEqual({
    ok: false,
    error: `signed with key ${kid}, which is not known here`,
  });
});
