import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { testBuildFile, testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { createLicenseBuild } from '../../src/licensing/build-keys.ts';
import { readLicenseFolder } from '../../src/licensing/license-folder.ts';
import { writeRevocationList } from '../../src/licensing/revocations.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { openGate } from './gate-fixture.ts';
import {
  bareMetal,
  claimsFor,
  createTestHost,
  putLicense,
  writeLicense,
} from './license-fixture.ts';

const permanent = claimsFor(bareMetal, { kind: 'permanent' });
const evaluating = { evaluation: { enabled: true, days: 30 } };
const oneLook = () => delay(1_300);

test('a folder that can no longer be read holds what it held, and is told of once', async () => {
  const host = createTestHost(evaluating);
  const { gate, folder, put, decisions, folderProblems, reaches } = await openGate(host);
  await put('a.lic', permanent);
  await gate.start();
  await rename(folder, `${folder}.away`);
  await writeFile(folder, 'in its place'); // ENOTDIR, as EMFILE and EIO anything but "empty"
  await vi.waitFor(() => expect(folderProblems).toHaveLength(1), { timeout: 2_000 });
  await oneLook();
  expect(folderProblems).toEqual([`the folder of licences ${folder} cannot be read (ENOTDIR)`]);
  expect(decisions.map(({ state }) => state)).toEqual(['VALID']);
  await rm(folder);
  await reaches('TRIAL'); // gone for good, so the host may evaluate
});

test('at the first look a folder that cannot be read is no empty one', async () => {
  const { gate, folder, stateDir, reaches } = await openGate(createTestHost(evaluating));
  await writeFile(join(stateDir, 'licenses'), 'in its place');
  await gate.start();
  expect(gate.findDecision('imagenet')).toMatchObject({
    state: 'MALFORMED',
    detail: `the folder of licences ${folder} cannot be read (ENOTDIR)`,
    remedy: expect.stringMatching(/limit of open files/) as string,
  });
  await rm(folder);
  await putLicense(folder, 'a.lic', writeLicense(permanent));
  await reaches('VALID');
});

test('without file descriptors nothing is forgotten', async () => {
  const program = `
    import { openSync } from 'node:fs';
    import { createLicenseBuild } from './src/licensing/build-keys.ts';
    import { readLicenseFolder } from './src/licensing/license-folder.ts';
    import { testBuildFile } from './scripts/license-vectors/test-keys.ts';
    const build = createLicenseBuild(testBuildFile);
    const folder = process.argv[1];
    const good = await readLicenseFolder(folder, build);
    try { for (;;) openSync('/dev/null'); } catch {}
    const kept = await readLicenseFolder(folder, build, good.licenses);
    const { licenses: [first] } = await readLicenseFolder(folder, build);
    console.log(JSON.stringify([kept.licenses.map(({ license }) => license.ok), kept.problems, first.license]));
  `;
  const folder = await temporaryFolder();
  await putLicense(folder, 'a.lic', writeLicense(permanent));
  const output = execFileSync(
    'sh',
    [
      ...['-c', 'ulimit -n 60; exec "$0" --input-type=module-typescript -e "$1" "$2"'],
      ...[process.execPath, program, folder],
    ],
    { encoding: 'utf8' },
  );
  const detail = `the folder of licences ${folder} cannot be read (EMFILE)`;
  expect(JSON.parse(output)).toEqual([
    [true],
    [detail],
    { ok: false, error: { state: 'MALFORMED', detail, isUnread: true } },
  ]);
});

test('a good licence outlives what is written over its file, until that is another licence', async () => {
  const { gate, folder, decisions, folderProblems, put, reaches } = await openGate(
    createTestHost(),
  );
  await put('a.lic', permanent);
  await gate.start();
  const path = join(folder, 'a.lic');
  await truncate(path, 300);
  await vi.waitFor(() => expect(folderProblems).toHaveLength(1), { timeout: 2_000 });
  expect(folderProblems[0]).toMatch(/a\.lic: .+; the licence that was there stays in force/);
  expect(gate.findDecision('imagenet')).toMatchObject({
    state: 'VALID',
    detail: expect.stringMatching(/; its file was good and no longer is \(/) as string,
  });
  await writeFile(path, 'garbage');
  await oneLook();
  await rm(path);
  await mkdir(path); // neither readable nor removed
  await oneLook();
  expect(decisions.map(({ state }) => state)).toEqual(['VALID']);
  await rm(path, { recursive: true });
  await reaches('NOT_FOUND');
  await put('a.lic', permanent);
  await reaches('VALID');
  const another = await readRecordedHost('kvm');
  await put('a.lic', claimsFor(another, { kind: 'permanent' }));
  await reaches('HARDWARE_MISMATCH');
});

test('what a list withdrew stays withdrawn while the list is damaged', async () => {
  const { gate, folder, put, reaches, listProblems } = await openGate(createTestHost());
  await put('a.lic', permanent);
  const list = { issued: 1, revoked: [{ lic_id: 'permanent-0001' }] };
  await putLicense(folder, 'revoked.lic', writeRevocationList(list, testKeys.permanent));
  await gate.start();
  await reaches('REVOKED');
  await truncate(join(folder, 'revoked.lic'), 100);
  await vi.waitFor(() => expect(listProblems).toHaveLength(1), { timeout: 2_000 });
  await oneLook();
  expect(gate.findDecision('imagenet').state).toBe('REVOKED');
});

test('of more licences than are read the rest is told', async () => {
  const folder = await temporaryFolder();
  const text = writeLicense(permanent);
  await Promise.all(
    Array.from({ length: 258 }, (_, index) => writeFile(join(folder, `${1000 + index}.lic`), text)),
  );
  const { licenses, problems } = await readLicenseFolder(folder, createLicenseBuild(testBuildFile));
  expect(licenses).toHaveLength(256);
  expect(problems).toEqual([
    expect.stringContaining('expected at most 256 licences, found 2 more'),
  ]);
});
