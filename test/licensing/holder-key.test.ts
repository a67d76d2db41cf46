import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureHolderKey, HOLDER_KEY_FILE } from '../../src/licensing/holder-key.ts';
import { createRecordFile } from '../../src/licensing/record-file.ts';
import { makeFolders } from './records-fixture.ts';

async function ensure(folders: readonly string[]): Promise<string> {
  const key = await ensureHolderKey(
    folders.map((folder) => createRecordFile(folder, { name: HOLDER_KEY_FILE })),
  );
  return key.ok ? publicText(key.value) : key.error;
}

function publicText(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

test('is made once, for its owner alone, and kept in both places', async () => {
  const folders = await makeFolders();
  const key = await ensure(folders);
  expect(key).toContain('PUBLIC KEY');
  for (const folder of folders) {
    expect((await stat(join(folder, HOLDER_KEY_FILE))).mode & 0o777).toBe(0o600);
    expect(await ensure([folder])).toBe(key);
  }
});

test('comes back from the other place when it is lost or damaged', async () => {
  const folders = await makeFolders();
  const key = await ensure(folders);
  await rm(join(folders[0], HOLDER_KEY_FILE));
  expect(await ensure(folders)).toBe(key);
  await writeFile(join(folders[1], HOLDER_KEY_FILE), 'damaged');
  expect(await ensure(folders)).toBe(key);
  for (const folder of folders) expect(await ensure([folder])).toBe(key);
});

test('is one for all that start at once', async () => {
  const folders = await makeFolders();
  const keys = await Promise.all(Array.from({ length: 8 }, () => ensure(folders)));
  expect(new Set(keys).size).toBe(1);
});

test('is refused where it would be lost again', async () => {
  const [folder] = await makeFolders();
  await mkdir(dirname(folder), { recursive: true });
  await writeFile(folder, 'a file');
  expect(await ensure([folder])).toBe(
    `${join(folder, HOLDER_KEY_FILE)}: cannot be written (EEXIST)`,
  );
});
