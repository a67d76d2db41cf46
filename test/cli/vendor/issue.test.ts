import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { handOut } from '../../../src/cli/vendor/hand-out.ts';
import { mainFile, runCli } from '../../support/run-cli.ts';
import { createVendor, passphrase, type Vendor } from './vendor-fixture.ts';

const DAY_S = 86_400;

let vendor: Vendor;
beforeAll(async () => {
  vendor = await createVendor();
});

const permanent = (request: string, out: string) => [
  ...['issue', '--request', request, '--kind', 'permanent', '--tier', 'cpu'],
  ...['--deploy-name', 'imagenet', '--customer', 'Müller & 李 GmbH', '--build', 'build.json'],
  ...['--key', 'permanent.key', '--out', out],
];
const trial = (request: string, out: string) =>
  permanent(request, out).map((word) => word.replace('permanent', 'trial'));

async function listRegister(): Promise<unknown[]> {
  const { stdout } = await vendor.run('list', '--json');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('vendor issue', () => {
  test('writes a trial for the host of a request, and records it', async () => {
    const { exitCode, stdout, stderr } = await vendor.run(...trial('host.req', 'trial.lic'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { kid, claims } = await vendor.readLicense('trial.lic');
    expect(kid).toBe(vendor.keys.trial.kid);
    expect(claims).toMatchObject({
      customer: 'Müller & 李 GmbH',
      product: 'edge-infer',
      deploy_name: 'imagenet',
      kind: 'trial',
      tier: 'cpu',
      container: 'deny',
      fp: { need: 5, components: [{ k: 'product-uuid', w: 3 }, {}, {}, {}] },
    });
    expect((claims.exp ?? 0) - claims.iat).toBe(30 * DAY_S);
    expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(60);
    expect(stdout).toContain(claims.lic_id);
    expect(await listRegister()).toMatchObject([
      {
        status: 'live',
        kid,
        claims,
        file: await readFile(join(vendor.folder, 'trial.lic'), 'utf8'),
      },
    ]);
  });

  test('writes a permanent one with all that was sold, and tells of the trial', async () => {
    const sold = ['--updates-until', '2028-12-31', '--container', 'allow', '--models', 'a', 'b'];
    const { stderr } = await vendor.run(...permanent('container.req', 'permanent.lic'), ...sold);
    const { claims } = await vendor.readLicense('permanent.lic');
    expect(claims).toMatchObject({
      ...{ kind: 'permanent', updates_until: '2028-12-31', container: 'allow', models: ['a', 'b'] },
    });
    expect(claims).not.toHaveProperty('exp');
    const { claims: first } = await vendor.readLicense('trial.lic');
    expect(stderr).toBe(`note: this host holds ${first.lic_id} as well (trial)\n`);
  });

  test('binds to one graphics card, which has to be named among several', async () => {
    const gpu = permanent('cards.req', 'gpu.lic').map((word) => (word === 'cpu' ? 'gpu' : word));
    const unnamed = await vendor.run(...gpu);
    expect(unnamed).toMatchObject({ exitCode: 65, stdout: '' });
    expect(unnamed.stderr).toContain('choose one, 0 to 1');
    await vendor.run(...gpu, '--gpu', '1');
    const { claims } = await vendor.readLicense('gpu.lic');
    expect(claims).toMatchObject({
      tier: 'gpu',
      fp: { gpu: Buffer.alloc(8, 102).toString('base64url') },
    });
  });

  test('takes a request that was typed for what its file is', async () => {
    await vendor.run(...permanent('groups.txt', 'typed.lic'), '--register', 'typed.jsonl');
    const { claims: typed } = await vendor.readLicense('typed.lic');
    const { claims } = await vendor.readLicense('trial.lic');
    expect([typed.fp, typed.holder]).toEqual([claims.fp, claims.holder]);
  });

  test('takes a host that could be copied where that is said', async () => {
    const weak = permanent('weak.req', 'weak.lic');
    expect(await vendor.run(...weak, '--accept-weak', '--register', 'weak.jsonl')).toMatchObject({
      exitCode: 0,
    });
    const { claims } = await vendor.readLicense('weak.lic');
    expect(claims.fp).toMatchObject({ components: [{ k: 'board-serial' }, {}, {}] });
  });

  test('names all that is wrong on the command line at once', async () => {
    const { exitCode, stdout, stderr } = await vendor.run(
      ...['issue', '--request', 'host.req', '--kind', 'forever', '--tier', 'cpu'],
      ...['--deploy-name', 'a/b', '--customer', '', '--days', 'ten', '--updates-until', 'soon'],
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    const flags = ['--key', '--kind', '--deploy-name', '--customer', '--days', '--updates-until'];
    for (const flag of flags) {
      expect(stderr).toMatch(new RegExp(`\\n {2}${flag}: expected .+, found `));
    }
    expect(stderr).toMatch(/^edge-infer: there are 6 problems:\n/);
    expect(stderr).toMatch(/\nSee "edge-infer vendor issue --help"\.\n$/);
  });

  test('names all files that are not what they should be at once', async () => {
    await writeFile(join(vendor.folder, 'taken.lic'), 'something');
    await writeFile(
      join(vendor.folder, 'damaged.req'),
      '-----BEGIN EDGE-INFER LICENSE REQUEST-----',
    );
    const { exitCode, stderr } = await vendor.run(
      ...permanent('damaged.req', 'taken.lic').map((word) =>
        word.replace('permanent.key', 'none.key').replace('build.json', 'none.json'),
      ),
    );
    expect(exitCode).toBe(66);
    for (const file of ['none.json', 'none.key', 'damaged.req', 'taken.lic']) {
      expect(stderr).toMatch(new RegExp(`\\n {2}\\S*( \\S*)?${file}: expected `));
    }
    expect(await readFile(join(vendor.folder, 'taken.lic'), 'utf8')).toBe('something');
  });

  test.each([
    ['a key for the other kind', ['--key', 'trial.key'], 'expected a key for permanent licences'],
    ['a key that no release knows', ['--key', 'stranger.key'], 'is not in its build.json'],
    ['days for a permanent one', ['--days', '3'], 'expected for trials alone'],
    ['a card for a host', ['--gpu', '0'], 'expected for graphics cards alone'],
    ['a host that could be copied', ['--request', 'weak.req'], '(--accept-weak takes it'],
    ['a container', ['--request', 'container.req'], '--container allow'],
  ])('refuses %s', async (_, more, message) => {
    const { exitCode, stderr } = await vendor.run(...permanent('host.req', 'no.lic'), ...more);
    expect([64, 65]).toContain(exitCode);
    expect(stderr).toContain(message);
    expect(await readdir(vendor.folder)).not.toContain('no.lic');
  });

  test('with a wrong passphrase writes and records nothing, nor shows it', async () => {
    const before = await listRegister();
    await writeFile(join(vendor.folder, 'passphrase'), `not ${passphrase}\n`);
    const { exitCode, stdout, stderr } = await vendor.run(
      ...permanent('host.req', 'no.lic'),
      ...['--passphrase-file', 'passphrase'],
    );
    expect(exitCode).toBe(65);
    expect(stderr).toContain('the passphrase is not the one of this key');
    expect(stdout + stderr).not.toContain(passphrase);
    expect(await listRegister()).toEqual(before);
    expect((await readdir(vendor.folder)).filter((name) => /no\.lic|part/.test(name))).toEqual([]);
  });

  test('leaves no licence that the register lacks', async () => {
    await mkdir(join(vendor.folder, 'register-folder'));
    const { exitCode, stderr } = await vendor.run(
      ...permanent('host.req', 'no.lic'),
      ...['--register', 'register-folder'],
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 65 });
    expect((await readdir(vendor.folder)).filter((name) => /no\.lic|part/.test(name))).toEqual([]);
  });

  test('without a terminal says how a passphrase is given', async () => {
    const args = ['vendor', ...permanent('host.req', 'no.lic')];
    const env = { XDG_DATA_HOME: join(vendor.folder, 'data') };
    const { exitCode, stderr } = await runCli(args, { cwd: vendor.folder, env });
    expect(exitCode).toBe(64);
    expect(stderr).toContain('use --passphrase-file or the variable EDGE_INFER_VENDOR_PASSPHRASE');
  });
});

describe('handing a licence out', () => {
  const handOutTo = async (out: string, register: string) => {
    const { claims } = await vendor.readLicense('trial.lic');
    const at = (name: string) => join(vendor.folder, name);
    return handOut({
      ...{ claims, file: 'text', now: new Date(0) },
      ...{ out: at(out), register: at(register) },
    });
  };

  test('does not happen where the register cannot be written', async () => {
    await expect(handOutTo('no.lic', 'trial.key/register')).rejects.toThrow(
      /^register .+trial\.key/,
    );
    expect((await readdir(vendor.folder)).filter((name) => /no\.lic|part/.test(name))).toEqual([]);
  });

  test('says how to get at a licence that was recorded but has no file', async () => {
    await expect(handOutTo('taken.lic', 'second.jsonl')).rejects.toThrow(
      /taken\.lic cannot be written: there is one already.+; the licence is in the register: "edge-infer vendor export lic-[0-9a-f]{20}" writes it$/,
    );
    expect(await readFile(join(vendor.folder, 'second.jsonl'), 'utf8')).toContain('"issued"');
  });
});

describe('vendor list', () => {
  test('prints a line a licence', async () => {
    const { stdout } = await vendor.run('list');
    const [title, ...lines] = stdout.trimEnd().split('\n');
    expect(title).toMatch(/^LICENCE +CUSTOMER +DEPLOY NAME +KIND +TIER +ISSUED +ENDS +STATUS$/);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^lic-[0-9a-f]{20} +Müller & 李 GmbH +imagenet +trial +cpu +.+ live$/);
    expect(lines[1]).toMatch(/ permanent +cpu +\d{4}-\d\d-\d\d +never +live$/);
  });

  test('without a register ends with 66', async () => {
    const { exitCode, stderr } = await vendor.run('list', '--register', 'none');
    expect(exitCode).toBe(66);
    expect(stderr).toMatch(/^edge-infer: register \S+none: expected a file, found nothing there/);
  });
});

describe('vendor export', () => {
  test('writes the file of a licence again, over none', async () => {
    const { claims } = await vendor.readLicense('trial.lic');
    const args = ['export', claims.lic_id, '--out', 'again.lic'];
    expect((await vendor.run(...args)).exitCode).toBe(0);
    expect(await vendor.readLicense('again.lic')).toEqual(await vendor.readLicense('trial.lic'));
    expect(await vendor.run(...args)).toMatchObject({ exitCode: 71 });
    expect(await vendor.run('export', 'lic-unknown')).toMatchObject({ exitCode: 65 });
  });
});

describe('vendor inspect', () => {
  const inspect = (...args: readonly string[]) =>
    vendor.run('inspect', ...args, '--build', 'build.json');

  test('says what a licence says and that it counts', async () => {
    const { exitCode, stdout } = await inspect('permanent.lic');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^document +licence\nverdict +in order\n/);
    expect(stdout).toMatch(/\nupdates until +2028-12-31\n/);
    const { claims } = await vendor.readLicense('permanent.lic');
    const json = JSON.parse((await inspect('permanent.lic', '--json')).stdout) as unknown;
    expect(json).toMatchObject({ document: 'licence', ok: true, content: { claims } });
  });

  test('shows one that does not count with its state, and ends with 65', async () => {
    const text = await readFile(join(vendor.folder, 'permanent.lic'), 'utf8');
    await writeFile(join(vendor.folder, 'before.lic'), `Your licence:\n${text}`);
    expect(await inspect('before.lic')).toMatchObject({
      exitCode: 65,
      stdout: expect.stringMatching(/verdict +MALFORMED: line 1: expected/) as string,
    });
    const { exitCode, stdout } = await vendor.run('inspect', 'permanent.lic');
    expect(exitCode).toBe(65);
    expect(stdout).toMatch(/verdict +UNKNOWN_KEY: signed with key permanent-/);
    expect(stdout).toContain('Müller & 李 GmbH');
  });

  test('knows requests, also from standard input, and the open part of a key', async () => {
    expect((await inspect('host.req')).stdout).toMatch(
      /^document +request\nverdict +in order\nmachine +bare-metal\ncomponents +product-uuid, /,
    );
    const command = `'${process.execPath}' '${mainFile}' vendor inspect - --build build.json < host.req`;
    const piped = await promisify(execFile)('bash', ['-c', command], { cwd: vendor.folder });
    expect(piped.stdout).toBe((await inspect('host.req')).stdout);
    const { stdout } = await inspect('trial.key', '--json');
    expect(JSON.parse(stdout)).toEqual({
      document: 'signing key',
      ok: true,
      content: vendor.keys.trial,
    });
  });
});
