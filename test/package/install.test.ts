import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../support/server.ts';
import { makeFakeRelease } from './install/fake-release.ts';
import {
  askVersion,
  type FakeHost,
  type HostRun,
  listReleases,
  makeFakeHost,
} from './install/host.ts';

/*
 * install.sh itself, on folders of its own in place of /opt, /etc, /var, /run and /usr/local, with releases
 * whose server only says how it is. The real release under a real systemd: test/systemd/install.test.ts.
 */
const PORT = 25_740;
const hostFolder = join(packageRoot, 'scripts/package/host');
const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

test.runIf(spawnSync('shellcheck', ['--version']).status === 0)(
  'shellcheck has nothing to say',
  () => {
    const { stdout } = spawnSync('shellcheck', [
      '-s',
      'sh',
      '-x',
      '-P',
      hostFolder,
      join(hostFolder, 'install.sh'),
    ]);
    expect(stdout.toString()).toBe('');
  },
);

describe.runIf(canUnshare)('a host with release 1.0.0', { timeout: 120_000 }, () => {
  let host: FakeHost;
  let install: (release: string, ...options: string[]) => HostRun;

  beforeAll(async () => {
    host = await makeFakeHost('dash');
    install = (release, ...options) =>
      host.run(['sh', join(host.root, release, 'install.sh'), ...options]);
    await makeFakeRelease(join(host.root, 'r1'), '1.0.0', { adminPort: PORT });
    await makeFakeRelease(join(host.root, 'r2'), '2.0.0', { adminPort: PORT });
    await makeFakeRelease(join(host.root, 'failed'), '3.0.0', {
      adminPort: PORT,
      behaviour: 'failed',
    });
    await makeFakeRelease(join(host.root, 'crashing'), '4.0.0', {
      adminPort: PORT,
      behaviour: 'crashing',
    });
    expect(install('r1', '--yes')).toMatchObject({ code: 0 });
    host.keep();
  });
  beforeEach(() => host.restore());
  afterAll(async () => await host[Symbol.asyncDispose]());

  test('installs once more without touching what serves', async () => {
    const run = install('r1');
    expect(run).toMatchObject({ code: 0, output: expect.stringContaining('nothing to change') });
  });

  test('upgrades, keeps two releases, goes back once', async () => {
    expect(install('r2')).toMatchObject({ code: 0 });
    expect(await askVersion(PORT)).toBe('2.0.0');
    expect(await listReleases(host)).toEqual(['1.0.0', '2.0.0']);
    expect(install('r2', '--rollback')).toMatchObject({ code: 0 });
    expect(await askVersion(PORT)).toBe('1.0.0');
    expect(await readUnit('edge-infer.service')).toContain('# of 1.0.0');
    expect(install('r2', '--rollback')).toMatchObject({ code: 0 });
    expect(await askVersion(PORT)).toBe('1.0.0');
  });

  test.each([
    ['failed', 'imagenet is not ready (failed): broken'],
    ['crashing', 'it became ready, then'],
  ])('goes back by itself from a release that is %s, and says why', async (release, reason) => {
    const run = install(release);
    expect(run).toMatchObject({ code: 80, output: expect.stringContaining(reason) });
    expect(run.output).toContain('a line of the journal');
    expect(await askVersion(PORT)).toBe('1.0.0');
    expect(await readUnit('edge-infer.service')).toContain('# of 1.0.0');
  });

  test('does not switch to a release of which a service that is ready now fails its test', async () => {
    await makeFakeRelease(join(host.root, 'untested'), '5.0.0', {
      adminPort: PORT,
      behaviour: 'failing its test',
    });
    expect(install('untested')).toMatchObject({
      code: 70,
      output: expect.stringContaining('a wrong answer'),
    });
    expect(await askVersion(PORT)).toBe('1.0.0');
  });

  test('is not kept from an upgrade by a service that is not ready now either', async () => {
    await makeFakeRelease(join(host.root, 'half'), '6.0.0', {
      adminPort: PORT,
      behaviour: 'failing a new service',
    });
    expect(install('half')).toMatchObject({
      code: 0,
      output: expect.stringContaining('new: not well before either'),
    });
    expect(await askVersion(PORT)).toBe('6.0.0');
    // Of a first installation everything must be well.
    await using fresh = await makeFakeHost('dash');
    await makeFakeRelease(join(fresh.root, 'r'), '6.0.0', {
      adminPort: PORT + 8,
      behaviour: 'failing a new service',
    });
    const run = fresh.run(['sh', join(fresh.root, 'r/install.sh'), '--yes']);
    expect(run).toMatchObject({ code: 70, output: expect.stringContaining('a wrong answer') });
  });

  test('refuses a flipped byte, a strange file, another key, a truncated archive', async () => {
    const changed = join(host.root, 'changed');
    const copy = () =>
      spawnSync('sh', ['-c', `rm -rf ${changed}; cp -a ${host.root}/r2 ${changed}`]);
    copy();
    await appendFile(join(changed, 'config/edge-infer.yaml'), ' ');
    expect(install('changed')).toMatchObject({
      code: 65,
      output: expect.stringContaining('config/edge-infer.yaml'),
    });
    copy();
    await writeFile(join(changed, 'MANIFEST.sig'), Buffer.alloc(64));
    expect(install('changed')).toMatchObject({
      code: 65,
      output: expect.stringContaining('signature'),
    });
    copy();
    spawnSync('tar', ['-C', host.root, '-czf', join(changed, 'whole.tar.gz'), 'r2']);
    await writeFile(
      join(changed, 'cut.tar.gz'),
      (await readFile(join(changed, 'whole.tar.gz'))).subarray(0, 20_000),
    );
    expect(install('r1', join(changed, 'cut.tar.gz'))).toMatchObject({ code: 65 });
    expect(install('r1', join(changed, 'whole.tar.gz'))).toMatchObject({ code: 0 });
    expect(await askVersion(PORT)).toBe('2.0.0');
  });

  test('keeps drop-ins and configuration, and keeps a unit edited by hand beside', async () => {
    const units = join(host.root, 'etc/systemd/system');
    await appendFile(join(units, 'edge-infer.service'), 'Nice=5\n');
    await mkdir(join(units, 'edge-infer.service.d'), { recursive: true });
    await writeFile(join(units, 'edge-infer.service.d/own.conf'), '[Service]\nNice=6\n');
    await appendFile(join(host.root, 'etc/edge-infer/edge-infer.yaml'), '# mine\n');
    const run = install('r2');
    expect(run).toMatchObject({
      code: 0,
      output: expect.stringContaining('was edited by hand: kept as'),
    });
    const [kept = ''] = (await readdir(units)).filter((name) => name.includes('.edited-'));
    expect(await readUnit(kept)).toContain('Nice=5');
    expect(await readUnit('edge-infer.service')).not.toContain('Nice=5');
    expect(await readUnit('edge-infer.service.d/own.conf')).toContain('Nice=6');
    expect(await readFile(join(host.root, 'etc/edge-infer/edge-infer.yaml'), 'utf8')).toContain(
      '# mine',
    );
  });

  test('puts a damaged file of the installed release right', async () => {
    const file = join(host.root, 'opt/edge-infer/releases/1.0.0/config/edge-infer.yaml');
    await appendFile(file, ' ');
    expect(install('r1')).toMatchObject({
      code: 0,
      output: expect.stringContaining('putting right'),
    });
    expect(await readFile(file)).toEqual(
      await readFile(join(host.root, 'r1/config/edge-infer.yaml')),
    );
  });

  test('tells who has the port', async () => {
    const fresh = await makeFakeHost('dash');
    await makeFakeRelease(join(fresh.root, 'r'), '1.0.0', { adminPort: PORT + 5 });
    const server = createServer().listen(PORT + 6, '127.0.0.1');
    await once(server, 'listening');
    const run = fresh.run(['sh', join(fresh.root, 'r/install.sh'), '--check']);
    expect(run).toMatchObject({
      code: 69,
      output: expect.stringContaining(`(process ${process.pid})`),
    });
    server.close();
    await fresh[Symbol.asyncDispose]();
  });

  test('does not replace the configuration of an installation', async () => {
    const other = join(host.root, 'other.yaml');
    await writeFile(other, 'port: 1\n');
    expect(install('r2', '--config', other)).toMatchObject({ code: 78 });
    expect(await askVersion(PORT)).toBe('1.0.0');
  });

  test.each([['--bogus'], ['--purge'], ['--rollback', '--check'], ['--config']])(
    'refuses %s',
    (...options) => {
      expect(install('r1', ...options)).toMatchObject({ code: 64 });
    },
  );

  test('leaves nothing but what it names', async () => {
    expect(install('r1', '--uninstall', '--yes')).toMatchObject({ code: 0 });
    expect(await readdir(join(host.root, 'opt'))).toEqual([]);
    expect(await readdir(join(host.root, 'etc/edge-infer'))).toEqual(['edge-infer.yaml']);
    expect(install('r1', '--uninstall', '--purge', '--yes')).toMatchObject({ code: 0 });
    for (const folder of ['etc', 'etc/systemd/system', 'var/lib', 'var/log', 'usr/local/bin']) {
      expect(
        (await readdir(join(host.root, folder))).filter((name) => name.includes('edge-infer')),
      ).toEqual([]);
    }
  });

  async function readUnit(name: string): Promise<string> {
    return await readFile(join(host.root, 'etc/systemd/system', name), 'utf8');
  }
});
