import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import {
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  emptyContent,
  mergeContents,
  sealContent,
  unsealContent,
} from '../../src/licensing/record-content.ts';
import { describeOwnProcess } from '../../src/platform/process-identity.ts';
import { historyOf, openFolders } from './open-folders.ts';
import { evaluationOf, makeFolders } from './records-fixture.ts';

const FILE = 'license-records';

async function saveTrial(folders: readonly string[], ranMs: number) {
  const records = await openFolders(folders);
  records.add({ trials: { 'trial-1': historyOf(0, ranMs) } });
  await records.save();
  return records;
}

async function ranMsIn(folders: readonly string[]): Promise<number | undefined> {
  return (await openFolders(folders)).content.trials['trial-1']?.ranMs;
}

describe('contents', () => {
  const a = {
    trials: { one: historyOf(5, 10, 3), two: historyOf(1, 1) },
    evaluations: [evaluationOf('x', 1, historyOf(7, 7))],
    released: ['lic-b'],
  };
  const b = {
    trials: { one: historyOf(6, 9, 4), three: historyOf(2, 2) },
    evaluations: [
      { ...evaluationOf('x', 1, historyOf(0, 9)), beganMs: 40, datings: 1 },
      evaluationOf('y', 2, historyOf(1, 1)),
    ],
    released: ['lic-a', 'lic-b'],
  };

  test('merge to what both know, in either order and however often', () => {
    const merged = mergeContents(a, b);
    expect(merged).toEqual({
      trials: { one: historyOf(6, 10, 4), two: historyOf(1, 1), three: historyOf(2, 2) },
      evaluations: [
        evaluationOf('y', 2, historyOf(1, 1)),
        { ...evaluationOf('x', 1, historyOf(7, 9)), beganMs: 40, datings: 1 },
      ],
      released: ['lic-a', 'lic-b'],
    });
    expect(mergeContents(b, a)).toEqual(merged);
    expect(mergeContents(merged, a)).toEqual(merged);
    expect(mergeContents(merged, b)).toEqual(merged);
  });

  test('are what was sealed, and any change of any bit is seen', () => {
    const text = sealContent(a);
    expect(unsealContent(text)).toEqual({ ok: true, value: a });
    const bytes = Buffer.from(text);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(unsealContent(changed.toString()).ok, `bit ${bit}`).toBe(false);
    }
    for (let length = 0; length < text.length; length++) {
      expect(unsealContent(text.slice(0, length)).ok, `length ${length}`).toBe(false);
    }
  });

  test('leave out none of however many evaluations', () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      evaluationOf(`e${i}`, i + 1, historyOf(0, 0)),
    );
    const { evaluations } = mergeContents({ ...emptyContent, evaluations: many }, a);
    expect(new Set(evaluations.map(({ id }) => id))).toEqual(
      new Set([...many.map(({ id }) => id), 'x']),
    );
  });
});

describe('two copies', () => {
  test('are both written, for their owner alone, and read again', async () => {
    const folders = await makeFolders();
    const records = await saveTrial(folders, 1000);
    expect(records.problems).toEqual([]);
    for (const folder of folders) {
      expect((await stat(join(folder, FILE))).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      expect(await readdir(folder)).toEqual([FILE]);
    }
    expect(await ranMsIn(folders)).toBe(1000);
  });

  test.each([0, 1])('of which number %i is deleted lose nothing', async (i) => {
    const folders = await makeFolders();
    await saveTrial(folders, 1000);
    await rm(join(folders[i] as string, FILE));
    const records = await saveTrial(folders, 10);
    expect(records.content.trials['trial-1']?.ranMs).toBe(1000);
    expect(records.problems).toEqual([]);
    expect(await ranMsIn([folders[i] as string])).toBe(1000);
  });

  test.each([0, 1])('of which number %i is put back from a backup lose nothing', async (i) => {
    const folders = await makeFolders();
    await saveTrial(folders, 1000);
    const backup = await readFile(join(folders[i] as string, FILE));
    await saveTrial(folders, 2000);
    await writeFile(join(folders[i] as string, FILE), backup);
    expect(await ranMsIn(folders)).toBe(2000);
  });

  test('that are both gone begin anew', async () => {
    const folders = await makeFolders();
    await saveTrial(folders, 1000);
    for (const folder of folders) await rm(folder, { recursive: true });
    expect((await openFolders(folders)).content).toEqual(emptyContent);
  });

  const damages: Record<string, (path: string, folder: string) => Promise<unknown>> = {
    'cut off': (path) => truncate(path, 20),
    empty: (path) => truncate(path, 0),
    'edited by hand': async (path) =>
      writeFile(path, (await readFile(path, 'utf8')).replace('1000', '1')),
    'a symbolic link': async (path, folder) => {
      await writeFile(join(folder, 'elsewhere'), await readFile(path));
      await rm(path);
      await symlink(join(folder, 'elsewhere'), path);
    },
    'a link to nothing': async (path) => {
      await rm(path);
      await symlink('/nowhere', path);
    },
    'a folder': async (path) => {
      await rm(path);
      await mkdir(path);
    },
    'a pipe that nobody writes to': async (path) => {
      await rm(path);
      spawnSync('mkfifo', [path]);
    },
    'of a gigabyte': (path) => truncate(path, 2 ** 30),
    'of zeros, as after a power cut': async (path) =>
      writeFile(path, Buffer.alloc((await stat(path)).size)),
  };

  test.each(Object.entries(damages))('of which one is %s lose nothing', async (_name, damage) => {
    for (const i of [0, 1]) {
      const folders = await makeFolders();
      const folder = folders[i] as string;
      const path = join(folder, FILE);
      await saveTrial(folders, 1000);
      await damage(path, folder);
      const records = await openFolders(folders);
      expect(records.content.trials['trial-1']?.ranMs).toBe(1000);
      expect(records.problems.map((problem) => problem.path)).toEqual([path]);
      await records.save();
      expect(records.problems).toEqual([]);
      expect(existsSync(`${path}.damaged`) || _name === 'a link to nothing').toBe(true);
      expect(await ranMsIn([folder])).toBe(1000);
    }
  });

  test('are read whoever owns them, and given to the owner of their folder', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can give files away');
    const folders = await makeFolders();
    await saveTrial(folders, 1000);
    await chown(join(folders[0], FILE), 4711, 4711);
    await chown(folders[1], 4712, 4712);
    await saveTrial(folders, 2000);
    expect(await ranMsIn([folders[0]])).toBe(2000);
    expect((await stat(join(folders[1], FILE))).uid).toBe(4712);
  });

  test('are in folders that are given to the owner of the one that was there', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can give folders away');
    const folders = await makeFolders();
    const root = dirname(dirname(folders[0]));
    await chown(root, 4711, 4712);
    await saveTrial(folders, 1000);
    for (const folder of [...folders, dirname(folders[0]), join(folders[1], FILE)]) {
      expect(await stat(folder)).toMatchObject({ uid: 4711, gid: 4712 });
    }
    expect((await stat(dirname(root))).uid).toBe(0);
  });

  // As another container's process, of which nothing is known, and one that surely has ended.
  test.each(['', '4194304 pid:[1]', `4194304 ${describeOwnProcess().split(' ')[1]}`])(
    'keep nothing of what a killed writer left, lock "%s"',
    async (holder) => {
      const folders = await makeFolders();
      await saveTrial(folders, 1000);
      await writeFile(join(folders[0], `${FILE}.1234.new`), 'half');
      await writeFile(join(folders[0], `${FILE}.lock`), holder);
      await saveTrial(folders, 2000);
      expect(await readdir(folders[0])).toEqual([FILE]);
      expect(await ranMsIn([folders[0]])).toBe(2000);
    },
  );

  test('are left alone while a process that lives holds them', async () => {
    const folders = await makeFolders();
    await saveTrial(folders, 1000);
    const lock = join(folders[0], `${FILE}.lock`);
    const busy = setInterval(() => writeFileSync(lock, describeOwnProcess()), 100);
    onTestFinished(() => clearInterval(busy));
    writeFileSync(lock, describeOwnProcess());
    const records = await saveTrial(folders, 2000);
    expect(records.problems).toEqual([
      { path: join(folders[0], FILE), detail: `cannot be written (other processes hold ${lock})` },
    ]);
    expect(await ranMsIn([folders[0]])).toBe(1000);
    expect(await ranMsIn([folders[1]])).toBe(2000);
  });
});
