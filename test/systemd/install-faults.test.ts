/** Bad releases, a faulty host, and power that fails: what served serves on, and the run says why. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { bootInstallLab, CONFIG, type InstalledLab, STICK } from './support/installed-lab.ts';
import { tell } from './support/service-lab.ts';

const installed = '/opt/edge-infer/current/install.sh';
const releases = [
  ...['one', 'two', 'other-key', 'crashing', 'answering-wrongly', 'wrong-model', 'strict'],
  'other-unit',
];
const CLOCK_1970 =
  'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1 FAKETIME=@1970-01-01T00:00:30 FAKETIME_FMT=%Y-%m-%dT%H:%M:%S DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1 NO_FAKE_STAT=1 TZ=UTC';
let lab: InstalledLab;
vi.setConfig({ testTimeout: 240_000 });

describe('on a host where release 1.0.0 serves', () => {
  beforeAll(async () => {
    lab = await bootInstallLab(releases);
    await lab.install(`${STICK}/one/install.sh --yes`);
    await lab.sh(`cp ${CONFIG} /root/config`);
  });
  beforeEach(async () => {
    await lab.sh(`cp /root/config ${CONFIG}`);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  test.each([
    { release: 'other-key', status: 65, why: /signature is not the trusted key/ },
    { release: 'wrong-model', status: 70, why: /FAILED {2}imagenet[\s\S]*failed its self-test/ },
    { release: 'crashing', status: 80, why: /it became ready, then[\s\S]*so 1\.0\.0 serves again/ },
    { release: 'answering-wrongly', status: 80, why: /answers wrongly: for golden\/.* expected "/ },
  ])('release: $release', async ({ release, status, why }) => {
    const told = await lab.install(`${installed} ${STICK}/${release}`, status);
    expect(told).toMatch(why);
    tell(told.trimEnd().split('\n').slice(-2).join('\n    '));
    expect(await lab.version()).toBe('1.0.0');
    expect(await lab.run('test -e /opt/edge-infer/pending')).toMatchObject({ code: 1 });
  });

  test('an archive with a flipped byte, and one that is cut short', async () => {
    await lab.sh(
      `mkdir -p /root/a && cp -rL ${STICK}/two /root/a/flipped && printf X | dd of=/root/a/flipped/app/models/efficientnet-lite0/model.onnx bs=1 seek=5000 conv=notrunc`,
    );
    expect(await lab.install(`${installed} /root/a/flipped`, 65)).toContain('model.onnx');
    await lab.sh(
      'tar -C /root/a --sort=name -c flipped | gzip -1 | head -c 50000000 >/root/a/cut.tar.gz',
    );
    expect(await lab.install(`${installed} /root/a/cut.tar.gz`, 65)).toContain('unexpected end');
    await lab.sh('rm -r /root/a');
    expect(await lab.version()).toBe('1.0.0');
  });

  test('a configuration that the new release refuses', async () => {
    await lab.sh(`echo 'deadlineMs: 9000' >>${CONFIG}`);
    const told = await lab.install(`${installed} ${STICK}/strict`, 78);
    expect(told).toMatch(/deadlineMs .*60000.*9000[\s\S]*refuses \/etc\/edge-infer/);
    expect(await lab.version()).toBe('1.0.0');
  });

  test('a model file that is missing keeps back only while its service is ready', async () => {
    await lab.sh(
      'mkdir -p /opt/edge-infer/models && cp -r /opt/edge-infer/current/app/models/efficientnet-lite0 /opt/edge-infer/models/mine',
    );
    await lab.sh(
      `printf '%s\\n' 'services:' '  - deployName: imagenet' '    model: efficientnet-lite0' '  - deployName: mine' '    model: /opt/edge-infer/models/mine' >${CONFIG}; systemctl restart edge-infer`,
    );
    await lab.waitUntilReady();
    await lab.sh('rm /opt/edge-infer/models/mine/model.onnx');
    expect(await lab.install(`${installed} ${STICK}/two`, 70)).toMatch(
      /FAILED {2}mine[\s\S]*model\.onnx/,
    );
    expect(await lab.version()).toBe('1.0.0');
    await lab.run('systemctl restart edge-infer');
    await lab.sh(`until curl -s 127.0.0.1:24402/readyz | grep -q failed; do sleep 0.2; done`);
    expect(await lab.install(`${installed} ${STICK}/two`)).toContain('mine: not well before');
    expect(await lab.version()).toBe('2.0.0');
    await lab.sh(`cp /root/config ${CONFIG}`);
    await lab.install(`${installed} --rollback`);
    expect(await lab.version()).toBe('1.0.0');
  });

  test('/etc read-only: what has to change nothing there goes on, other units do not', async () => {
    await lab.sh('mount --bind /etc /etc && mount -o remount,bind,ro /etc');
    expect(await lab.install(`${installed} ${STICK}/other-unit`, 80)).toContain(
      'its units cannot be put in place',
    );
    expect(await lab.version()).toBe('1.0.0');
    expect(await lab.install(`${installed} ${STICK}/two`)).toContain('mounted read-only');
    expect(await lab.version()).toBe('2.0.0');
    await lab.install(`${installed} --rollback`);
    await lab.sh('umount /etc');
  });

  test('journald stopped, and a clock at 1970', async () => {
    await lab.sh('kill -STOP $(systemctl show --value -p MainPID systemd-journald)');
    const told = await lab.install(`-c '${CLOCK_1970} sh ${installed} ${STICK}/two'`);
    await lab.sh('kill -CONT $(systemctl show --value -p MainPID systemd-journald)');
    expect(told).toContain('note  clock');
    expect(await lab.version()).toBe('2.0.0');
    await lab.install(`${installed} --rollback`);
  });

  test.each([
    { release: 'two', serves: '2.0.0' },
    { release: 'answering-wrongly', serves: '1.0.0' },
  ])('power cut after the switch to: $release', async ({ release, serves }) => {
    const run = lab.run(`sh ${installed} ${STICK}/${release} >/dev/null 2>&1`, {
      timeoutMs: 180_000,
    });
    await lab.sh(
      'until [ -e /opt/edge-infer/pending ] && [ "$(sed -n s/^to=//p /opt/edge-infer/pending)" = "$(basename "$(readlink /opt/edge-infer/current)")" ]; do sleep 0.05; done',
      { timeoutMs: 120_000 },
    );
    await lab.reboot('power-cut');
    await run;
    await lab.sh('while [ -e /opt/edge-infer/pending ]; do sleep 0.2; done', {
      timeoutMs: 120_000,
    });
    expect(await lab.version()).toBe(serves);
    if (serves !== '1.0.0') {
      await lab.install(`${installed} --rollback`);
    }
  });
});

test('a disk that fills in the middle of an upgrade', async () => {
  await using small = await bootInstallLab(['one', 'two'], { diskMiB: 900 });
  await small.install(`${STICK}/one/install.sh --yes`);
  // What the preflight asks for is there, and little more.
  await small.sh(
    'head -c $(( ($(df --output=avail -B1M /opt | tail -1) - 290) * 1048576 )) /dev/zero >/root/filler',
  );
  await small.sh(
    'cd /; setsid sh -c "until [ -e /opt/edge-infer/releases/.incoming/release/app ]; do :; done; cat /dev/zero >>/root/filler" >/dev/null 2>&1 &',
  );
  const told = await small.install(`${installed} ${STICK}/two`, 71);
  expect(told).toMatch(/(disk .*is full|cannot write)[\s\S]*\n +mend: .*(make room|not full)/);
  expect(await small.version()).toBe('1.0.0');
  await small.sh('rm /root/filler');
  await small.install(`${installed} ${STICK}/two`);
  expect(await small.version()).toBe('2.0.0');
});
