import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readFile,
  rename,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { strangerKey, testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { writeRevocationList } from '../../../src/licensing/revocations.ts';
import { createOperator, inDays, readFolder } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, binding } = operator;
const permanent = (licId: string) => claims({ kind: 'permanent', lic_id: licId });
const nothing = Buffer.alloc(8).toString('base64url');

let folders = 0;
/** A folder of licences that is not there yet, and what installs into it. */
function createPlace() {
  const folder = join(home, `licences-${folders++}`, 'of-this-host');
  return {
    folder,
    install: (file: string) => run('license', 'install', file, '--license.dir', folder),
  };
}

test('a licence is put in place under its id, as it came, for the server to read', async () => {
  const { folder, install } = createPlace();
  const path = await write(permanent('lic-sold'), 'from-mail.lic');
  const { exitCode, stdout, stderr } = await install('from-mail.lic');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(
    [
      `Installed as ${join(folder, 'lic-sold.lic')}: VALID, licence lic-sold is permanent and fits this hardware.`,
      'imagenet: VALID, by this licence',
      'A running server takes it up within two seconds.\n',
    ].join('\n'),
  );
  expect(await readFolder(folder)).toEqual({ 'lic-sold.lic': await readFile(path, 'base64') });
});

test('a second time it changes nothing, and a trial beside it stays what it is', async () => {
  const { folder, install } = createPlace();
  await write(permanent('lic-sold'), 'sold.lic');
  await write(claims({ lic_id: 'lic-tried' }), 'tried.lic');
  await install('sold.lic');
  const before = await readFolder(folder);
  expect(await install('sold.lic')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readFolder(folder)).toEqual(before);
  const { stdout } = await install('tried.lic');
  expect(stdout).toMatch(/tried\.lic: TRIAL, .+\nimagenet: VALID\n/);
  expect(Object.keys((await readFolder(folder)) ?? {})).toEqual(['lic-sold.lic', 'lic-tried.lic']);
});

test('what was checked is put in place, though the file is another by then', async () => {
  const { folder, install } = createPlace();
  const ids = ['lic-number-one', 'lic-number-two'] as const;
  const texts = await Promise.all(
    ids.map(async (id) => readFile(await write(permanent(id), `${id}.lic`), 'base64')),
  );
  let turns = 0;
  let isOver = false;
  const turning = (async () => {
    while (!isOver) {
      await copyFile(join(home, `${ids[turns % 2]}.lic`), join(home, 'next.lic'));
      await rename(join(home, 'next.lic'), join(home, 'turning.lic'));
      await delay(10 + (turns++ % 7) * 5); // in no step with the command
    }
  })();
  for (let times = 0; times < 5; times++) {
    expect(await install('turning.lic')).toMatchObject({ exitCode: 0, stderr: '' });
  }
  isOver = true;
  await turning;
  expect(turns).toBeGreaterThan(20);
  const installed = Object.entries((await readFolder(folder)) ?? {});
  expect(installed.length).toBeGreaterThan(0);
  for (const [file, text] of installed) {
    expect(text).toBe(texts[ids.findIndex((id) => file === `${id}.lic`)]);
  }
});

test('a licence that is signed again takes the place of the one with its id', async () => {
  const { folder, install } = createPlace();
  await write(permanent('lic-same'), 'first.lic');
  const second = await write({ ...permanent('lic-same'), customer: 'Renamed' }, 'second.lic');
  await install('first.lic');
  await install('second.lic');
  expect(await readFolder(folder)).toEqual({ 'lic-same.lic': await readFile(second, 'base64') });
});

describe('what would not serve is refused, and no byte changes:', () => {
  const { folder, install } = createPlace();
  beforeAll(async () => {
    await write(permanent('lic-good'), 'good.lic');
    expect(await install('good.lic')).toMatchObject({ exitCode: 0 });
  });

  const otherHost = {
    ...binding.fp,
    components: binding.fp.components.map((one) => ({ ...one, h: nothing })),
  };
  const good = { kind: 'permanent', lic_id: 'lic-good' };
  test.each([
    ['EXPIRED', { lic_id: 'lic-good', iat: inDays(-40), exp: inDays(-10) }],
    ['NOT_YET_VALID', { lic_id: 'lic-good', iat: inDays(5), exp: inDays(35) }],
    ['HARDWARE_MISMATCH', { ...good, fp: otherHost }],
    ['PRODUCT_MISMATCH', { ...good, deploy_name: 'other' }],
    ['PRODUCT_MISMATCH', { ...good, product: 'edge-ocr' }],
    ['VERSION_NOT_COVERED', { ...good, updates_until: '2020-12-31' }],
    ['MALFORMED', { ...good, crit: ['mood'] }],
    ['MALFORMED', { ...good, lic_id: '../../escape' }],
  ] as const)('%s', async (state, change) => {
    const before = await readFolder(folder);
    await write(claims(change), 'bad.lic');
    const { exitCode, stdout, stderr } = await install('bad.lic');
    expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^edge-infer: bad\\.lic.*:\\s+?(.*: )?${state}: [^]+\\. [A-Z]`),
    );
    expect(await readFolder(folder)).toEqual(before);
  });

  test.each<[string, string, (path: string) => Promise<unknown>]>([
    ['a file that breaks off', 'Copy the file', (path) => truncate(path, 300)],
    ['a file of 1 GB', 'Copy the file', (path) => truncate(path, 2 ** 30)],
    ['an empty file', 'Copy the file', (path) => truncate(path, 0)],
    ['text after the end', 'Copy the file', (path) => writeFile(path, '\n', { flag: 'a' })],
    ['one that may not be read', 'See to what the reason says', (path) => chmod(path, 0o000)],
  ])('%s', async (_, remedy, damage) => {
    const before = await readFolder(folder);
    const path = await write(permanent('lic-good'), `damaged-${folders++}.lic`);
    await damage(path);
    const { exitCode, stderr } = await install(path);
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(new RegExp(`^edge-infer: ${path}: MALFORMED: .+\\. ${remedy}`));
    expect(await readFolder(folder)).toEqual(before);
  });

  test('a folder, and a file that is not there', async () => {
    const before = await readFolder(folder);
    expect(await install(folder)).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining('MALFORMED: expected a file, found a folder') as string,
    });
    expect(await install('nowhere.lic')).toEqual({
      exitCode: 66,
      stdout: '',
      stderr:
        'edge-infer: nowhere.lic: NOT_FOUND: expected a file, found nothing there. Name the file that your vendor sent.\n',
    });
    expect(await readFolder(folder)).toEqual(before);
  });

  test('a request, which goes the other way', async () => {
    const before = await readFolder(folder);
    await run('license', 'request', '--out', 'host.req');
    const { exitCode, stderr } = await install('host.req');
    expect(exitCode).toBe(65);
    expect(stderr).toContain('MALFORMED');
    expect(await readFolder(folder)).toEqual(before);
  });
});

describe('where nothing can be written', () => {
  test('the folder that is closed is named, and what is in it stays', async () => {
    const folder = join(home, 'closed');
    await write(claims(), 'there.lic', folder);
    const before = await readFolder(folder);
    await chmod(folder, 0o555);
    await write(permanent('lic-sold'), 'sold.lic');
    const { exitCode, stdout, stderr } = await run(
      ...['license', 'install', 'sold.lic', '--license.dir', folder],
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 71, stdout: '' });
    expect(stderr).toBe(
      `edge-infer: ${join(folder, 'lic-sold.lic')} cannot be written: this user may not write there\n`,
    );
    expect(await readFolder(folder)).toEqual(before);
  });

  test.each([
    ['closed-parent/licences', 'this user may not write there'],
    ['a-file/licences', 'its folder is a file'],
  ])('%s: %s', async (name, reason) => {
    const folder = join(home, name);
    await mkdir(join(home, 'closed-parent'), { recursive: true });
    await chmod(join(home, 'closed-parent'), 0o555);
    await writeFile(join(home, 'a-file'), '');
    await write(permanent('lic-sold'), 'sold.lic');
    const args = ['license', 'install', 'sold.lic', '--license.dir', folder];
    expect(await run(...args)).toEqual({
      exitCode: 71,
      stdout: '',
      stderr: `edge-infer: ${folder} cannot be written: ${reason}\n`,
    });
    expect(await readFolder(folder)).toBeUndefined();
  });
});

test('a licence is installed from behind a symbolic link, as itself', async () => {
  const { folder, install } = createPlace();
  const path = await write(permanent('lic-linked'), 'real.lic');
  await symlink(path, join(home, 'link.lic'));
  expect(await install('link.lic')).toMatchObject({ exitCode: 0 });
  expect(await readFolder(folder)).toEqual({ 'lic-linked.lic': await readFile(path, 'base64') });
});

describe('a list of withdrawn licences', () => {
  const list = (issued: number, ids: readonly string[], key = testKeys.permanent) =>
    writeRevocationList({ issued, revoked: ids.map((lic_id) => ({ lic_id })) }, key);

  test('is put beside the licences and ends those that it names', async () => {
    const { folder, install } = createPlace();
    await write(permanent('lic-sold'), 'sold.lic');
    await install('sold.lic');
    await writeFile(join(home, 'list.lic'), list(inDays(0), ['lic-sold']));
    const { exitCode, stdout } = await install('list.lic');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      `Installed as ${join(folder, 'revoked.lic')}: 1 withdrawn licence.\nimagenet: REVOKED\n`,
    );
    const again = await install('sold.lic');
    expect(again).toMatchObject({ exitCode: 65 });
    expect(again.stderr).toContain('REVOKED: licence lic-sold was withdrawn by the vendor');
  });

  test('never takes the place of a later one, nor counts without the right signature', async () => {
    const { folder, install } = createPlace();
    await writeFile(join(home, 'later.lic'), list(inDays(0), ['lic-number-one', 'lic-number-two']));
    await writeFile(join(home, 'older.lic'), list(inDays(-1), ['lic-number-one']));
    await writeFile(join(home, 'strange.lic'), list(inDays(1), [], strangerKey));
    await writeFile(join(home, 'of-trials.lic'), list(inDays(1), [], testKeys.trial));
    await install('later.lic');
    const before = await readFolder(folder);
    for (const [file, reason] of [
      ['older.lic', 'older.lic is older than the list that is in place; nothing was changed'],
      ['strange.lic', 'permanent-'],
      ['of-trials.lic', 'expected the signature of a key for permanent licences'],
    ] as const) {
      const { exitCode, stderr } = await install(file);
      expect(exitCode).toBe(65);
      expect(stderr).toContain(reason);
    }
    expect(await readFolder(folder)).toEqual(before);
    expect(await install('later.lic')).toMatchObject({ exitCode: 0 });

    // One in place that does not count is no reason to keep it.
    await writeFile(join(folder, 'revoked.lic'), 'damaged');
    expect(await install('older.lic')).toMatchObject({ exitCode: 0 });
    await cp(join(home, 'older.lic'), join(home, 'expected'));
    expect(await readFolder(folder)).toEqual({
      'revoked.lic': await readFile(join(home, 'expected'), 'base64'),
    });
  });
});
