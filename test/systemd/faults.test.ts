/** Faults of the host around the running service. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMIN, bootServiceLab, SERVICE, type ServiceLab, tell } from './support/service-lab.ts';

const CONFIG = '/etc/edge-infer/edge-infer.yaml';
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

let lab: ServiceLab;

beforeEach(async () => {
  lab = await bootServiceLab();
});

afterEach(() => lab[Symbol.asyncDispose]());

test('journald stopped: requests are answered, also when its buffers are full', async () => {
  await lab.sh('systemctl start edge-infer.service');
  await lab.waitUntilReady();
  await lab.sh('kill -STOP $(systemctl show --value -p MainPID systemd-journald)');
  const load = lab.startLoad(8, 'keep-alive');
  await sleep(15_000); // a line a request
  const counts = await load.stop();
  tell(`journald stopped: ${counts.answered} answered, longest ${counts.longestMs.toFixed(0)} ms`);
  expect(counts.failed).toEqual({});
  expect(counts.answered).toBeGreaterThan(100);
  await lab.sh('kill -CONT $(systemctl show --value -p MainPID systemd-journald)');
  expect(await lab.show('NRestarts')).toBe('0');
});

test('a clock at 1970 at boot: serves', async () => {
  // No namespace has a clock of its own: every program that systemd starts is told another time.
  await lab.write(
    '/etc/systemd/system.conf.d/clock.conf',
    `[Manager]\nDefaultEnvironment=LD_PRELOAD=${FAKETIME} FAKETIME=@1970-01-01T00:00:30 FAKETIME_FMT=%%Y-%%m-%%dT%%H:%%M:%%S DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1 NO_FAKE_STAT=1 TZ=UTC\n`,
  );
  await lab.reboot();
  await lab.waitUntilReady();
  const answer = await lab.sh(`curl -si ${SERVICE}/readyz`);
  expect(answer).toMatch(/^date: \w+, 01 Jan 1970/im);
  expect(JSON.parse(await lab.sh(`curl -s ${ADMIN}/readyz`))).toMatchObject({ status: 'ready' });
});

test('/etc read-only from boot on: serves', async () => {
  await lab.write(
    '/etc/systemd/system/read-only-etc.service',
    '[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c "mount --bind /etc /etc && mount -o remount,bind,ro /etc"\n[Install]\nWantedBy=sysinit.target\n',
  );
  await lab.sh('systemctl enable -q read-only-etc.service');
  await lab.reboot();
  await lab.waitUntilReady();
  expect((await lab.run(': > /etc/mark')).code).not.toBe(0);
  await lab.sh('systemctl restart edge-infer.service');
  await lab.waitUntilReady();
});

test('the port is taken: says so, and serves with its sockets when it is free', async () => {
  const holder = lab.spawnOnItsNetwork([
    ...['node', '-e', "require('net').createServer().listen(24401, '127.0.0.1')"],
  ]);
  await lab.sh('until ss -ltn | grep -q :24401; do sleep 0.05; done');
  await lab.run('systemctl start edge-infer.socket edge-infer.service', { timeoutMs: 5000 });
  await sleep(2000);
  const log = await lab.sh('journalctl -o cat -u edge-infer.service -u edge-infer.socket');
  expect(log).toMatch(/127\.0\.0\.1:24401.*in use[\s\S]*the port for requests is in use/);
  holder.kill('SIGKILL');
  const tookMs = await lab.waitUntilReady();
  tell(`serving ${tookMs.toFixed(0)} ms after the port was free`);
  expect(await lab.show('ActiveState', 'edge-infer.socket')).toBe('active');
  expect(await lab.sh("ss -ltnp 'sport = :24401'")).toContain('systemd');
});

test('a model file is missing: says which, and serves when it is back', async () => {
  const model = '/opt/edge-infer/current/app/models/efficientnet-lite0/model.onnx';
  await lab.sh(`mv ${model} /root/`);
  await lab.write(
    '/etc/systemd/system/edge-infer.service.d/10-lab.conf',
    '[Service]\nTimeoutStartSec=8\n',
  );
  await lab.sh('systemctl daemon-reload; systemctl start --no-block edge-infer.service');
  await lab.sh(`until curl -s -m 2 ${ADMIN}/readyz | grep -q model.onnx; do sleep 0.1; done`);
  expect(await lab.post('{"image":"AAAA"}')).toMatchObject({ error_code: 336100 });
  const status = await lab.show('StatusText');
  tell(`Status: "${status}"`);
  expect(status).toMatch(/^Not ready: imagenet: .*model\.onnx/);
  await lab.sh(`mv /root/model.onnx ${model}`);
  const tookMs = await lab.waitUntilReady();
  tell(`serving ${tookMs.toFixed(0)} ms after the model was put back (TimeoutStartSec=8)`);
});

test('a wrong configuration: no loop of restarts, and waiting clients are served once it is right', async () => {
  await lab.write(CONFIG, 'prot: 24401\n');
  await lab.run('systemctl start edge-infer.service');
  await expect
    .poll(() => lab.sh('journalctl -o cat -u edge-infer.service'), { timeout: 10_000 })
    .toContain('prot');
  const client = lab.sh(`curl -s -m 60 ${SERVICE}/healthz`, { timeoutMs: 60_000 });
  await sleep(7000);
  const starts = await lab.sh("journalctl -o cat -u edge-infer.service | grep -c '^Starting'");
  tell(`started ${starts} times in 7 s with a client waiting`);
  expect(Number(starts)).toBeLessThanOrEqual(3);
  await lab.write(CONFIG, 'port: 24401\n');
  expect(JSON.parse(await client)).toEqual({ status: 'alive' });
  await lab.waitUntilReady();
});
