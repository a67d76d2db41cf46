/** What doctor and support-bundle say of the installed service, under a real systemd. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor/report.ts';
import { ADMIN, bootServiceLab, type ServiceLab } from './support/service-lab.ts';

const CONFIG = '/etc/edge-infer/edge-infer.yaml';
const UNIT = '/etc/systemd/system/edge-infer.service';
const MODEL = '/opt/edge-infer/current/app/models/efficientnet-lite0/model.onnx';

let lab: ServiceLab;

beforeAll(async () => {
  lab = await bootServiceLab();
});

/** A service that is well, whatever the test before has left. */
beforeEach(async () => {
  await lab.write(CONFIG, 'port: 24401\n');
  await lab.sh(`
    [ ! -e /root/model.onnx ] || mv /root/model.onnx ${MODEL}
    cp /opt/edge-infer/current/systemd/edge-infer.service ${UNIT}
    systemctl daemon-reload; systemctl reset-failed; systemctl restart edge-infer.service`);
  await lab.waitUntilReady();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** What is told as worse than a note, in the order of the report; a human's report is shown with EDGE_INFER_LAB_SHOW. */
async function doctor(): Promise<{ readonly ok: boolean; readonly told: readonly string[] }> {
  if (process.env.EDGE_INFER_LAB_SHOW !== undefined) {
    process.stderr.write(`${(await lab.run('edge-infer doctor')).stdout}\n`);
  }
  const { stdout } = await lab.run('edge-infer doctor --json');
  const { ok, findings } = JSON.parse(stdout) as DoctorReport;
  const told = findings
    .filter(({ severity }) => severity === 'problem' || severity === 'warning')
    .map(
      ({ check, severity, found, command = '' }) => `${severity} ${check}: ${found} [${command}]`,
    );
  return { ok, told };
}

test('a service that is well', async () => {
  const { ok, told } = await doctor();
  expect(told.filter((text) => text.startsWith('problem'))).toEqual([]);
  expect(ok).toBe(true);
});

test('a service that was stopped stays so, whoever asks', async () => {
  await lab.sh('systemctl stop edge-infer.service');
  const { ok, told } = await doctor();
  const status = await lab.run('edge-infer license status');
  expect(status.stdout).toContain('No running server answers');
  expect(await lab.show('ActiveState')).toBe('inactive');
  expect(ok).toBe(false);
  expect(told).toContainEqual(
    expect.stringMatching(/^problem unit: edge-infer\.service is inactive/),
  );
});

test('a configuration with mistakes: the service has ended with 78', async () => {
  await lab.write(CONFIG, 'prot: 24401\n');
  await lab.run('systemctl restart edge-infer.service');
  await expect.poll(() => lab.show('ActiveState'), { timeout: 20_000 }).toBe('failed');
  const { told } = await doctor();
  expect(told).toContainEqual(expect.stringMatching(/^problem configuration: prot \(/));
  expect(told).toContainEqual(
    expect.stringMatching(/^problem unit: edge-infer\.service is failed .* code 78/),
  );
});

test('a configuration that a reload refused', async () => {
  await lab.write(CONFIG, 'prot: 24401\n');
  await lab.run('systemctl reload edge-infer.service');
  await expect
    .poll(() => lab.sh(`curl -s ${ADMIN}/readyz`), { timeout: 10_000 })
    .toContain('refusedAt');
  await lab.write(CONFIG, 'port: 24401\n');
  const { told } = await doctor();
  expect(told).toContainEqual(
    expect.stringMatching(/^warning configuration: a reload was refused .*prot/),
  );
});

test('a model file that is missing', async () => {
  await lab.sh(`mv ${MODEL} /root/; systemctl restart --no-block edge-infer.service`);
  await expect
    .poll(() => lab.sh(`curl -s -m 2 ${ADMIN}/readyz || :`), { timeout: 10_000 })
    .toContain('model.onnx');
  const { told } = await doctor();
  expect(told).toContainEqual(expect.stringMatching(/^problem models: .*model\.onnx/));
  expect(told).toContainEqual(
    expect.stringMatching(/^problem release-files: .*model\.onnx: expected a file, found none/),
  );
});

test('a hand-edited unit, and another port than systemd holds', async () => {
  await lab.sh(
    `echo '# mine' >> ${UNIT}; cp ${UNIT} ${UNIT}.edited-0123abcd; systemctl daemon-reload`,
  );
  await lab.write(CONFIG, 'port: 24411\n');
  const { stdout } = await lab.run('edge-infer doctor');
  const { told } = await doctor();
  expect(stdout).toContain(`${UNIT} is not the one of this release`);
  expect(stdout).toContain(`${UNIT}.edited-0123abcd`);
  expect(told).toContainEqual(
    expect.stringMatching(
      /^warning addresses: service address 127\.0\.0\.1:24411 is configured, and edge-infer\.socket holds/,
    ),
  );
  await lab.sh(`rm ${UNIT}.edited-0123abcd`);
});

test('a model that the sandbox hides, or that only root may read', async () => {
  await lab.sh(
    'mkdir -p /home/op /opt/edge-infer/models; cp -r /opt/edge-infer/current/app/models/efficientnet-lite0 /home/op/mine; cp -r /home/op/mine /opt/edge-infer/models/closed; chmod 700 /opt/edge-infer/models/closed',
  );
  await lab.write(
    CONFIG,
    'services: [{deployName: a, model: /home/op/mine}, {deployName: b, model: /opt/edge-infer/models/closed}]\n',
  );
  const { told } = await doctor();
  expect(told).toContainEqual(
    expect.stringMatching(
      /^problem models: \/home\/op\/mine: the service cannot see it \(ProtectHome=/,
    ),
  );
  expect(told).toContainEqual(
    expect.stringMatching(/^problem models: \/opt\/edge-infer\/models\/closed: only its owner/),
  );
  await lab.sh(`rm -r /home/op /opt/edge-infer/models/closed`);
});

test('an installation that was cut off or has failed', async () => {
  await lab.write('/opt/edge-infer/pending', 'from=0.1.0\nto=0.2.0\naction=install\n');
  await lab.write(
    '/var/log/edge-infer-install.log',
    '2026-11-22T10:00:00+0000 ---- install.sh --install x.tar.gz\n2026-11-22T10:00:01+0000 edge-infer: 0.2.0 was not well, so 0.1.0 serves again\n',
  );
  await lab.sh('ln -s releases/0.2.0 /opt/edge-infer/rolled-back');
  const cut = await doctor();
  expect(cut.told).toContainEqual(
    expect.stringMatching(/^warning installation: a switch from 0\.1\.0 to 0\.2\.0 has not ended/),
  );
  expect(cut.told).toContainEqual(
    expect.stringMatching(
      /^warning installation: the last "install\.sh --install x\.tar\.gz" failed .*0\.2\.0 was not well/,
    ),
  );
  const { stdout } = await lab.run('flock /run/edge-infer-install.lock edge-infer doctor');
  expect(stdout).toContain('install.sh is at work');
  expect(stdout).toContain('release 0.2.0 was rolled back');
  await lab.sh(
    'rm /opt/edge-infer/pending /opt/edge-infer/rolled-back /var/log/edge-infer-install.log',
  );
});

test('a support bundle of root has no number of this machine', async () => {
  await lab.sh(
    'edge-infer support-bundle /root/bundle.tar.gz --yes && mkdir /root/bundle && tar -xzf /root/bundle.tar.gz -C /root/bundle --strip-components 1',
    { timeoutMs: 110_000 },
  );
  const names = (await lab.sh('ls /root/bundle')).split('\n');
  expect(names).toEqual(
    expect.arrayContaining(['doctor.json', 'log.txt', 'units.txt', 'metrics.txt']),
  );
  const numbers = (
    await lab.sh(
      'cat /etc/machine-id /sys/class/dmi/id/product_uuid /sys/class/dmi/id/*_serial /sys/block/*/device/serial /sys/block/*/serial /sys/block/*/wwid 2>/dev/null || :',
    )
  )
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text.length > 3);
  expect(numbers.length).toBeGreaterThan(0);
  for (const number of new Set(numbers)) {
    const found = await lab.run('grep -rilF -e "$NUMBER" /root/bundle', {
      env: { NUMBER: number },
    });
    expect(found.stdout, number).toBe('');
  }
  expect(await lab.sh('grep -c . /root/bundle/log.txt')).not.toBe('0');
  expect(await lab.sh('cat /root/bundle/units.txt')).toContain('DynamicUser=yes');
});
