import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../support/mutate.ts';
import { historyOf, openFolders } from './open-folders.ts';
import { makeFolders } from './records-fixture.ts';

const run = promisify(execFile);
const writer = fileURLToPath(new URL('record-writer.ts', import.meta.url));

interface Line {
  readonly round: number;
  readonly problems: readonly string[];
}

const ranMsIn = async (folders: readonly string[], name: string) =>
  (await openFolders(folders)).content.trials[name]?.ranMs ?? 0;

test('of processes that write at once nobody loses anything', async () => {
  const folders = await makeFolders();
  const names = ['one', 'two', 'three', 'four'];
  const rounds = 25;
  await Promise.all(
    names.map((name) => run(process.execPath, [writer, name, `${rounds}`, ...folders])),
  );
  const expected = names
    .flatMap((name) => Array.from({ length: rounds }, (_, i) => `${name}-${i + 1}`))
    .sort();
  for (const folder of folders) {
    expect((await openFolders([folder])).content.released).toEqual(expected);
    expect(await readdir(folder)).toEqual(['license-records']);
  }
});

test('a process killed at any moment leaves both copies whole', async () => {
  const random = createRandom(5);
  async function killAgainAndAgain(): Promise<void> {
    const folders = await makeFolders();
    for (let kill = 0; kill < 10; kill++) {
      const child = spawn(process.execPath, [writer, 'killed', '1000000', ...folders]);
      let last = 0;
      const lines = createInterface(child.stdout);
      lines.on('line', (line) => {
        last = (JSON.parse(line) as Line).round;
      });
      await once(lines, 'line');
      await delay(random(120));
      child.kill('SIGKILL');
      await once(child, 'close');
      for (const folder of folders) {
        const records = await openFolders([folder]);
        expect(records.problems).toEqual([]);
        expect(records.content.trials.killed?.ranMs).toBeGreaterThanOrEqual(last);
      }
    }
    expect(await ranMsIn(folders, 'killed')).toBeGreaterThan(0);
  }
  await Promise.all(Array.from({ length: 6 }, killAgainAndAgain));
});

test('where no file may grow, records stay as they were and the process goes on', async () => {
  const folders = await makeFolders();
  await run(process.execPath, [writer, 'before', '3', ...folders]);
  const { stdout } = await run('bash', [
    ...['-c', 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"'],
    ...[process.execPath, writer, 'after', '2', ...folders],
  ]);
  for (const line of stdout.trim().split('\n')) {
    const full = 'cannot be written, the disk is full (EFBIG); make room';
    expect((JSON.parse(line) as Line).problems).toEqual([full, full]);
  }
  expect(await ranMsIn(folders, 'before')).toBe(3);
  expect(await ranMsIn(folders, 'after')).toBe(0);
  for (const folder of folders) expect(await readdir(folder)).toEqual(['license-records']);
});

/** Gives a folder a file system of its own; false where this user may not. */
function mountSmallDisk(folder: string): boolean {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]);
  if (status === 0) onTestFinished(() => void spawnSync('umount', [folder]));
  return status === 0;
}

test.for([0, 1])(
  'a full disk under copy %i costs nothing but a warning',
  async (place, { skip }) => {
    const folders = await makeFolders();
    const [full, other] = place === 0 ? folders : [folders[1], folders[0]];
    await mkdir(full, { recursive: true });
    if (!mountSmallDisk(full)) skip('this user may not mount a disk');
    const records = await openFolders(folders);
    records.add({ trials: { full: historyOf(0, 1) } });
    await records.save();
    await writeFile(join(full, 'filler'), Buffer.alloc(64 * 1024)).catch(() => undefined);
    const before = await readFile(join(full, 'license-records'), 'utf8');
    records.add({ trials: { full: historyOf(0, 2) } });
    await records.save();
    expect(records.problems).toEqual([
      {
        path: join(full, 'license-records'),
        detail: 'cannot be written, the disk is full (ENOSPC); make room',
      },
    ]);
    expect(await readFile(join(full, 'license-records'), 'utf8')).toBe(before);
    expect(await readdir(full)).toEqual(['filler', 'license-records']);
    expect(await ranMsIn([other], 'full')).toBe(2);

    await writeFile(join(full, 'filler'), '');
    await records.save();
    expect(records.problems).toEqual([]);
    expect(await ranMsIn([full], 'full')).toBe(2);
  },
);

test('a read-only disk under both copies costs nothing but a warning', async ({ skip }) => {
  const folders = await makeFolders();
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    if (!mountSmallDisk(folder)) skip('this user may not mount a disk');
  }
  const records = await openFolders(folders);
  records.add({ trials: { only: historyOf(0, 1) } });
  await records.save();
  for (const folder of folders) spawnSync('mount', ['-o', 'remount,ro', folder]);
  records.add({ trials: { only: historyOf(0, 2) } });
  await records.save();
  const detail = 'cannot be written, the disk is read-only (EROFS); make it writable';
  expect(records.problems.map((problem) => problem.detail)).toEqual([detail, detail]);
  expect(records.content.trials.only?.ranMs).toBe(2);
  expect(await ranMsIn(folders, 'only')).toBe(1);
});

test('records of another user are kept aside and written anew', async ({ skip }) => {
  const folders = await makeFolders();
  await saveAsRoot(folders);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
  const started = spawnSync('setpriv', [...nobody, writer, 'nobody', '1', ...folders]);
  // Nobody can neither start this program from a closed home nor may everybody become nobody.
  if (started.status !== 0) skip('this user may not become another');
  expect(JSON.parse(started.stdout.toString())).toEqual({ round: 1, problems: [] });
  for (const folder of folders) {
    expect(await readdir(folder)).toEqual(['license-records', 'license-records.damaged']);
    expect(await ranMsIn([folder], 'nobody')).toBe(1);
  }
});

/** Records that only root may read, in folders of user 65534. */
async function saveAsRoot(folders: readonly string[]): Promise<void> {
  const records = await openFolders(folders);
  await records.save();
  for (const folder of folders) {
    const made = dirname(dirname(folder));
    for (const each of [made, dirname(folder), folder]) await chmod(each, 0o755);
    await chown(folder, 65534, 65534).catch(() => undefined); // not root: the test is skipped
  }
}
