import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOperator, readFolder, readJsonStatus } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, vendor, claims, write, licenses, recordFolders } = operator;

beforeEach(async () => {
  await rm(licenses, { recursive: true, force: true });
});

async function install(licId: string): Promise<void> {
  await write(claims({ kind: 'permanent', lic_id: licId }), `${licId}.lic`);
  const { exitCode, stderr } = await run('license', 'install', `${licId}.lic`);
  expect(exitCode, stderr).toBe(0);
}

async function readState(): Promise<string | undefined> {
  return (await readJsonStatus(operator)).status.services[0]?.state;
}

describe('license remove', () => {
  test.each(['lic-in-use', 'lic-in-use.lic'])('%s takes it out of use', async (name) => {
    await install('lic-in-use');
    const before = await readFolder(licenses);
    const { exitCode, stdout, stderr } = await run('license', 'remove', name);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const kept = join(licenses, 'lic-in-use.lic.removed');
    expect(stdout).toBe(
      `Out of use; the file is kept as ${kept}.\nimagenet: NOT_FOUND, there is no licence for imagenet on this host\n`,
    );
    expect(await readState()).toBe('NOT_FOUND');
    await rename(kept, join(licenses, 'lic-in-use.lic'));
    expect(await readState()).toBe('VALID');
    expect(await readFolder(licenses)).toEqual(before);
  });

  test('tells what then counts', async () => {
    await install('lic-number-one');
    await install('lic-number-two');
    const { stdout } = await run('license', 'remove', 'lic-number-one');
    expect(stdout).toContain('imagenet: VALID, licence lic-number-two is permanent');
  });

  test('takes a file away that is no licence', async () => {
    await mkdir(licenses, { recursive: true });
    await chmod(licenses, 0o777);
    await writeFile(join(licenses, 'broken.lic'), 'something');
    expect(await run('license', 'remove', 'broken.lic')).toMatchObject({ exitCode: 0 });
    expect(await readFolder(licenses)).toHaveProperty(['broken.lic.removed']);
  });

  test.each([
    ['remove', []],
    ['release', ['--out', 'no.txt', '--yes']],
  ])('and %s tell what is there instead', async (command, more) => {
    const none = await run('license', command, 'lic-number-one', ...more);
    expect(none).toMatchObject({ exitCode: 66, stdout: '' });
    expect(none.stderr).toContain(`found no lic-number-one; there: none\n`);
    await install('lic-number-one');
    await install('lic-number-two');
    const before = await readFolder(licenses);
    const { exitCode, stderr } = await run('license', command, 'lic-number-three', ...more);
    expect(exitCode).toBe(66);
    expect(stderr).toBe(
      `edge-infer: expected a licence in ${licenses} by its id or its file's name, found no lic-number-three; there: lic-number-one.lic, lic-number-two.lic\n`,
    );
    expect(await readFolder(licenses)).toEqual(before);
  });

  test('changes nothing in a folder that is closed', async () => {
    await install('lic-number-one');
    await chmod(licenses, 0o555);
    const { exitCode, stderr } = await run('license', 'remove', 'lic-number-one');
    await chmod(licenses, 0o755);
    expect(exitCode).toBe(71);
    expect(stderr).toContain('lic-number-one.lic cannot be written: this user may not write there');
    expect(await readState()).toBe('VALID');
  });
});

describe('license release', () => {
  const release = (licId: string, ...more: readonly string[]) =>
    run('license', 'release', licId, '--out', `${licId}.proof`, ...more);

  test('asks first', async () => {
    await install('lic-precious');
    const { exitCode, stdout, stderr } = await release('lic-precious');
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/lic-precious will never serve on this host again; say --yes/);
    expect(await readState()).toBe('VALID');
    await expect(stat(join(home, 'lic-precious.proof'))).rejects.toThrow('ENOENT');
  });

  test('gives up for good, and the vendor takes the proof for another host', async () => {
    await run('license', 'request', '--out', 'host.req');
    const issued = await vendor(
      ...['issue', '--request', 'host.req', '--kind', 'permanent', '--tier', 'cpu'],
      ...['--deploy-name', 'imagenet', '--customer', 'ACME', '--key', 'permanent.key'],
      ...['--out', 'sold.lic', '--accept-weak', '--container', 'allow'],
    );
    expect(issued.exitCode, issued.stderr).toBe(0);
    const [licId = ''] = /lic-[0-9a-f]{20}/.exec(issued.stdout) ?? [];
    expect(await run('license', 'install', 'sold.lic')).toMatchObject({ exitCode: 0 });

    const { exitCode, stdout, stderr } = await release(licId, '--yes');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Licence ${licId} is given up. Send ${licId}.proof to your vendor`);
    expect(Object.keys((await readFolder(licenses)) ?? {})).toEqual([`${licId}.lic.released`]);
    expect(await readState()).toBe('NOT_FOUND');

    // The same file is of no more use here, wherever it comes from.
    const again = await run('license', 'install', 'sold.lic');
    expect(again).toMatchObject({ exitCode: 65 });
    expect(again.stderr).toContain(`REVOKED: licence ${licId} was given up by this host`);
    await rename(join(licenses, `${licId}.lic.released`), join(licenses, `${licId}.lic`));
    expect(await readState()).toBe('REVOKED');
    await rm(join(recordFolders[0], 'license-records'));
    expect(await readState()).toBe('REVOKED');

    const moved = await vendor(
      ...['reissue', '--release', `${licId}.proof`, '--request', 'host.req', '--key'],
      ...['permanent.key', '--out', 'moved.lic', '--accept-weak'],
    );
    expect(moved.exitCode, moved.stderr).toBe(0);
    expect(await run('license', 'install', 'moved.lic')).toMatchObject({ exitCode: 0 });
    expect(await readState()).toBe('VALID');
  });

  test('gives nothing up for a proof that cannot be written', async () => {
    await install('lic-without-proof');
    await writeFile(join(home, 'lic-without-proof.proof'), 'of something else');
    const { exitCode, stderr } = await release('lic-without-proof', '--yes');
    expect(exitCode).toBe(71);
    expect(stderr).toContain('lic-without-proof.proof cannot be written: there is one already');
    expect(await readState()).toBe('VALID');
    expect(await readFile(join(home, 'lic-without-proof.proof'), 'utf8')).toBe('of something else');
  });

  test('can be made again where it was interrupted', async () => {
    await install('lic-halfway');
    await chmod(licenses, 0o555); // as a loss of power before the file is put aside
    const stopped = await release('lic-halfway', '--yes');
    await chmod(licenses, 0o755);
    expect(stopped).toMatchObject({ exitCode: 71 });
    expect(await readState()).toBe('REVOKED');
    await rm(join(home, 'lic-halfway.proof'));
    expect(await release('lic-halfway', '--yes')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await vendor('inspect', 'lic-halfway.proof')).toMatchObject({ exitCode: 0 });
    expect(Object.keys((await readFolder(licenses)) ?? {})).toEqual(['lic-halfway.lic.released']);
  });

  test('can be made again after the file was put aside, by its id', async () => {
    await install('lic-lost-proof');
    await release('lic-lost-proof', '--yes');
    await rm(join(home, 'lic-lost-proof.proof'));
    const { exitCode, stderr } = await release('lic-lost-proof', '--yes');
    expect(exitCode, stderr).toBe(0);
    const { stdout } = await vendor('inspect', 'lic-lost-proof.proof');
    expect(stdout).toMatch(/^document +release\nverdict +in order\nlicence +lic-lost-proof\n/);
  });

  test('gives nothing up where that cannot be remembered', async () => {
    await install('lic-unforgotten');
    for (const folder of recordFolders) await chmod(folder, 0o555);
    const { exitCode, stdout, stderr } = await release('lic-unforgotten', '--yes');
    for (const folder of recordFolders) await chmod(folder, 0o755);
    expect({ exitCode, stdout }).toEqual({ exitCode: 71, stdout: '' });
    expect(stderr).toMatch(/^edge-infer: nothing was given up: .+license-records: .+EACCES.+; /);
    await expect(stat(join(home, 'lic-unforgotten.proof'))).rejects.toThrow('ENOENT');
    expect(await readState()).toBe('VALID');
  });

  test('needs the key that the licence was requested with', async () => {
    await install('lic-of-the-old-key');
    const files = recordFolders.map((folder) => join(folder, 'license-holder.key'));
    const keys = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    for (const file of files) await rename(file, `${file}.lost`);
    const { exitCode, stderr } = await release('lic-of-the-old-key', '--yes');
    for (const file of files) await rename(`${file}.lost`, file);
    expect(new Set(keys).size).toBe(1);
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(
      /was requested with another key .+ Tell your vendor that the old one is lost/,
    );
    expect(await readState()).toBe('VALID');
  });

  test('refuses what is no licence', async () => {
    await install('lic-number-one');
    await writeFile(join(licenses, 'broken.lic'), 'something');
    const { exitCode, stderr } = await release('broken.lic', '--yes');
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(/broken\.lic: MALFORMED: /);
  });
});
