/** The installer on a host, as an operator uses it: install.sh of a signed release, nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { goldenFolder } from '../support/server.ts';
import { bootInstallLab, CONFIG, type InstalledLab, STICK } from './support/installed-lab.ts';
import { ADMIN, tell } from './support/service-lab.ts';

const UNIT = '/etc/systemd/system/edge-infer.service';
const installed = '/opt/edge-infer/current/install.sh';
const answer = { results: expect.any(Array) as unknown };
const photo = JSON.stringify({
  image: readFileSync(join(goldenFolder, 'rocket.jpg'), 'base64'),
});
let lab: InstalledLab;
vi.setConfig({ testTimeout: 240_000 });

beforeAll(async () => {
  lab = await bootInstallLab(['one', 'two', 'other-unit']);
  await lab.sh('mount -t tmpfs -o noexec,nosuid,nodev tmpfs /tmp');
});

afterAll(() => lab[Symbol.asyncDispose]());

test('looks at a host without network, and tells who has its port', async () => {
  expect(await lab.sh('ip route')).toBe('');
  const holder = lab.spawnOnItsNetwork([
    ...['node', '-e', "require('net').createServer().listen(24402, '127.0.0.1')"],
  ]);
  await lab.sh('until ss -ltn | grep -q :24402; do sleep 0.05; done');
  for (const option of ['--check', '--yes']) {
    expect(await lab.install(`${STICK}/one/install.sh ${option}`, 69)).toMatch(
      /FAIL +port +127\.0\.0\.1:24402 is taken by .*\n +mend: .*admin\.port/,
    );
  }
  holder.kill('SIGKILL');
  await lab.sh('while ss -ltn | grep -q :24402; do sleep 0.05; done');
  const checked = await lab.install(`${STICK}/one/install.sh --check`);
  expect(checked).toContain('This host is fit.');
  expect(await lab.sh('ls -d /etc/edge-infer || true')).toBe('');
});

test('installs at once what is named, under a narrow umask and with /tmp noexec', async () => {
  await lab.write('/root/own.yaml', '# mine\ndeadlineMs: 9000\n');
  const started = performance.now();
  const told = await lab.install(
    `-c 'umask 077; exec sh ${STICK}/one/install.sh --config /root/own.yaml --yes'`,
  );
  tell(`installed in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  expect(told).toMatch(/SHA-256 [0-9a-f]{64}/);
  expect(await lab.version()).toBe('1.0.0');
  expect(await lab.post(photo)).toMatchObject(answer);
  expect(await lab.sh(`head -1 ${CONFIG}`)).toBe('# mine');
  expect(await lab.sh('cat /run/edge-infer-hardware/hardware.json')).toContain('{');
  expect(await lab.show('ActiveState', 'edge-infer-hardware.service')).toBe('active');
  expect(await lab.sh('edge-infer hardware record')).toContain('/run/edge-infer-hardware');
});

test('a second run changes nothing', async () => {
  const before = await lab.show('MainPID');
  expect(await lab.install(installed)).toContain('nothing to change');
  expect(await lab.show('MainPID')).toBe(before);
});

test('a licence that is no licence is refused, and what serves goes on', async () => {
  await lab.write('/root/bad.lic', 'nothing\n');
  expect(await lab.install(`${installed} --license /root/bad.lic`, 77)).toContain('refused');
  expect(await lab.version()).toBe('1.0.0');
});

test("the operator's edits are in force or told after upgrade and rollback", async () => {
  await lab.write(
    '/etc/systemd/system/edge-infer.service.d/own.conf',
    '[Service]\nEnvironment=MINE=1\n',
  );
  await lab.sh(`echo '# by hand' >>${UNIT}`);
  await lab.sh(
    'mkdir -p /opt/edge-infer/models && cp -r /opt/edge-infer/current/app/models/efficientnet-lite0 /opt/edge-infer/models/mine',
  );
  await lab.sh(
    `printf '%s\\n' 'services:' '  - deployName: imagenet' '    model: efficientnet-lite0' '  - deployName: mine' '    model: /opt/edge-infer/models/mine' >>${CONFIG}`,
  );
  await lab.sh('systemctl daemon-reload; systemctl restart edge-infer');
  await lab.waitUntilReady();
  const config = await lab.sh(`cat ${CONFIG}`);
  const expectEdits = async (version: string) => {
    expect(await lab.version()).toBe(version);
    expect(await lab.sh(`cat ${CONFIG}`)).toBe(config);
    expect(
      await lab.sh('tr "\\0" "\\n" </proc/$(systemctl show --value -p MainPID edge-infer)/environ'),
    ).toContain('MINE=1');
    expect(await lab.post(photo, 'mine')).toMatchObject(answer);
  };
  const told = await lab.install(`${installed} ${STICK}/other-unit`);
  const [, kept = ''] = /edited by hand: kept as (\S+),/.exec(told) ?? [];
  expect(await lab.sh(`tail -1 ${kept}`)).toBe('# by hand');
  expect(told).toContain('edge-infer.socket has other settings now');
  expect(await lab.sh(`tail -1 ${UNIT}`)).toBe('# of another release');
  await expectEdits('3.0.0');
  await lab.install(`${installed} --rollback`);
  expect(await lab.sh(`grep -c 'of another' ${UNIT} || true`)).toBe('0');
  await expectEdits('1.0.0');
});

test('upgrades to an archive, from a console', async () => {
  await lab.sh(
    `tar -C ${STICK} --transform s,^2,edge-infer-2.0.0, -I 'gzip -1' -cf /root/two.tar.gz 2`,
  );
  const started = performance.now();
  await lab.install(`${installed} /root/two.tar.gz`);
  tell(`upgraded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  expect(await lab.version()).toBe('2.0.0');
  expect(await lab.sh('ls /opt/edge-infer/releases')).toBe('1.0.0\n2.0.0');
});

test('a changed port is taken up by another run', async () => {
  await lab.sh(`sed -i '1a port: 24501' ${CONFIG}`);
  await lab.install(installed);
  expect(await lab.sh('curl -s http://127.0.0.1:24501/healthz')).toContain('alive');
  expect((await lab.run('curl -s http://127.0.0.1:24401/healthz')).code).toBe(7);
});

test('is removed; what stays is named, and taken up again', async () => {
  const told = await lab.install(`${installed} --uninstall --yes`);
  expect(told).toContain(CONFIG.replace(/\/[^/]*$/, ''));
  expect(await lab.sh('ls /opt/edge-infer; ls /usr/local/bin')).toBe('models');
  expect((await lab.run(`curl -s ${ADMIN}/healthz`)).code).toBe(7);
  await lab.install(`${STICK}/two/install.sh --yes`);
  expect(await lab.sh('curl -s http://127.0.0.1:24501/healthz')).toContain('alive');
});

test('is removed with all it made but the record that it names', async () => {
  const told = await lab.install(`${installed} --uninstall --purge --yes`);
  expect(told).toContain('Kept: /var/lib/edge-infer-records');
  const left = await lab.sh(
    "find / -xdev -name '*edge-infer*' -not -path '/proc/*' -not -path '/mnt/*' -not -path '/var/log/journal/*'; find /run -name '*edge-infer*' -not -name edge-infer-install.lock",
  );
  expect(
    left.split('\n').filter((path) => !/^\/var\/lib\/(private\/)?edge-infer-records$/.test(path)),
  ).toEqual([]);
  expect(await lab.sh('systemctl list-unit-files --no-legend "edge-infer*" || true')).toBe('');
});
