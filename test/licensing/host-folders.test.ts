import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findHostFolders } from '../../src/licensing/host-folders.ts';
import { openLicenseSources } from '../../src/licensing/sources.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { historyOf } from './open-folders.ts';

test("the host's own folders are chosen by no variable", () => {
  const folders = findHostFolders();
  for (const name of ['HOME', 'XDG_STATE_HOME']) vi.stubEnv(name, '/elsewhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(findHostFolders()).toEqual(folders);
  expect(folders).toEqual([
    '/var/lib/edge-infer-records',
    join(userInfo().homedir, '.local/state/edge-infer'),
  ]);
});

test('what was given up, trials and the key outlast new folders of every setting', async () => {
  const root = await temporaryFolder();
  const ofTheHost = join(root, 'host');
  const open = (name: string) => {
    const places = {
      stateDir: join(root, name, 'state'),
      license: { dir: join(root, name, 'licenses'), recordsDir: join(root, name, 'records') },
    };
    return openLicenseSources(places, [ofTheHost, '/dev/null/cannot-be-made']);
  };
  const first = await open('first');
  const records = await first.openRecords();
  records.add({ released: ['lic-released'], trials: { 'trial-1': historyOf(1, 2) } });
  await records.save();
  expect(records.problems).toEqual([]);
  const key = await first.openHolderKey();

  const second = await open('second');
  const { content } = await second.openRecords();
  expect(content).toEqual(records.content);
  const again = await second.openHolderKey();
  expect(key.ok && again.ok && key.value.equals(again.value)).toBe(true);
});

test('a folder that a setting names too is no other place, and its problems are told', async () => {
  const stateDir = '/dev/null/state';
  const { openRecords } = await openLicenseSources(
    { stateDir, license: { dir: stateDir, recordsDir: stateDir } },
    [stateDir],
  );
  const records = await openRecords();
  await records.save();
  expect(records.problems.map(({ path }) => path)).toEqual([join(stateDir, 'license-records')]);
});
