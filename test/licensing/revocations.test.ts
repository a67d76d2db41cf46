import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { strangerKey, testBuildFile, testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { createLicenseBuild } from '../../src/licensing/build-keys.ts';
import {
  createRevocationCopy,
  type RevocationList,
  readRevocations,
  verifyRevocationList,
  writeRevocationList,
} from '../../src/licensing/revocations.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';

const build = createLicenseBuild(testBuildFile);
const folder = await temporaryFolder();
const list: RevocationList = {
  issued: 1_800_000_000,
  revoked: [{ lic_id: 'lic-00000000000000000001' }, { lic_id: 'lic-2-of-acme', reason: 'unpaid' }],
};

function sign(content: RevocationList, key = testKeys.permanent): Buffer {
  return Buffer.from(writeRevocationList(content, key));
}

test('counts with the signature of a key for permanent licences, the current or the next', () => {
  for (const key of [testKeys.permanent, testKeys.nextPermanent]) {
    expect(verifyRevocationList(sign(list, key), build)).toEqual({ ok: true, value: list });
  }
});

test.each([
  ['a key for trials', testKeys.trial, 'BAD_SIGNATURE'],
  ['a key of nobody', strangerKey, 'UNKNOWN_KEY'],
])('does not count with the signature of %s', (_, key, state) => {
  expect(verifyRevocationList(sign(list, key), build)).toMatchObject({
    ok: false,
    error: { state, detail: expect.stringContaining(key.kid) as string },
  });
});

test('names every problem of its content', () => {
  const wrong = { issued: -1, revoked: [{ lic_id: 'X', reason: 'two\nlines' }] };
  expect(verifyRevocationList(sign(wrong), build)).toEqual({
    ok: false,
    error: {
      state: 'MALFORMED',
      detail:
        'issued: expected at least 0, found -1; revoked[0].lic_id: expected 8 to 64 of a-z 0-9 -, not starting with -, found "X"; revoked[0].reason: expected one line of text, found "two lines"',
    },
  });
});

test('lists count together, so that an old one in the place of a new one brings nothing back', async () => {
  const ofRelease = join(folder, 'release.lic');
  const beside = join(folder, 'beside.lic');
  await writeFile(ofRelease, sign(list));
  await writeFile(join(folder, 'mounted'), sign({ issued: 1, revoked: [{ lic_id: 'lic-older' }] }));
  await symlink('mounted', beside);
  const absent = join(folder, 'absent.lic');
  expect(await readRevocations([ofRelease, beside, absent], build)).toEqual({
    reasons: new Map([
      ['lic-00000000000000000001', undefined],
      ['lic-2-of-acme', 'unpaid'],
      ['lic-older', undefined],
    ]),
    problems: [],
  });
});

test('a list that does not count takes nothing from the others, and is told', async () => {
  const good = join(folder, 'good.lic');
  const damaged = join(folder, 'damaged.lic');
  await writeFile(good, sign(list));
  await writeFile(damaged, sign(list).subarray(0, 100));
  const { reasons, problems } = await readRevocations([damaged, good, folder], build);
  expect(reasons.size).toBe(2);
  expect(problems).toEqual([
    `${damaged}: expected the END line, found none; the file is cut short or still being written`,
    `${folder}: expected a file, found a folder`,
  ]);
});

test('are remembered, so that deleting the list or putting back an old one brings nothing back', async () => {
  const home = await temporaryFolder();
  const beside = join(home, 'revoked.lic');
  const copies = ['one', 'two'].map((name) => createRevocationCopy(join(home, name)));
  const read = async (): Promise<readonly string[]> =>
    [...(await readRevocations([beside], build, copies)).reasons.keys()].sort();
  const file = (i: number) => join(home, ['one', 'two'][i] ?? '', 'license-revocations');
  expect(await read()).toEqual([]);
  expect(await readdir(home)).toEqual([]);

  await writeFile(beside, sign(list));
  const ids = ['lic-00000000000000000001', 'lic-2-of-acme'];
  expect(await read()).toEqual(ids);
  await rm(beside);
  expect(await read()).toEqual(ids);
  await rm(file(0));
  expect(await read()).toEqual(ids);
  await writeFile(file(1), 'damaged');
  expect(await read()).toEqual(ids);
  for (const i of [0, 1]) expect(await readFile(file(i))).toEqual(sign(list));

  await writeFile(beside, sign({ issued: 1, revoked: [{ lic_id: 'lic-older' }] }));
  expect(await read()).toEqual([...ids, 'lic-older']);
  const { mtimeMs } = await stat(file(0));
  expect(await read()).toEqual([...ids, 'lic-older']);
  expect((await stat(file(0))).mtimeMs).toBe(mtimeMs);

  // The vendor takes a withdrawal back.
  await writeFile(beside, sign({ issued: 1_900_000_000, revoked: [{ lic_id: 'lic-newer' }] }));
  expect(await read()).toEqual(['lic-newer']);
  await rm(beside);
  expect(await read()).toEqual(['lic-newer']);
});
