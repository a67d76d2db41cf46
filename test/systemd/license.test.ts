/** Root's commands beside a service whose user comes and goes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN, bootServiceLab, type ServiceLab } from './support/service-lab.ts';

let lab: ServiceLab;
const env = { EDGE_INFER_VENDOR_PASSPHRASE: 'only of this test' };

beforeAll(async () => {
  lab = await bootServiceLab();
  // The vendor's part: a release that knows a key.
  await lab.sh(
    'edge-infer vendor keygen --kind permanent --out /root/permanent.key --add-to /opt/edge-infer/current/app/license/build.json',
    { env },
  );
  await lab.sh('systemctl start edge-infer.service');
  await lab.waitUntilReady();
});

afterAll(() => lab[Symbol.asyncDispose]());

const readState = async () =>
  (
    JSON.parse(await lab.sh(`curl -s ${ADMIN}/readyz`)) as {
      services: { license: { state: string } }[];
    }
  ).services[0]?.license.state;

test('request, install and status as root: the running service takes the licence', async () => {
  expect(await readState()).toBe('TRIAL');
  expect(await lab.sh('edge-infer license status')).toContain('TRIAL');
  await lab.sh('edge-infer license request --out /root/host.req');
  await lab.sh(
    'edge-infer vendor issue --request /root/host.req --kind permanent --tier cpu --deploy-name imagenet --customer Lab --container allow --accept-weak --key /root/permanent.key --out /root/host.lic',
    { env },
  );
  await lab.sh('edge-infer license install /root/host.lic');
  await expect.poll(readState, { timeout: 10_000 }).toBe('VALID');
  expect(await lab.sh('edge-infer license status')).toContain('VALID');
});

test('all that root made belongs to the service, also after a restart and a reboot', async () => {
  // A licence is only read by the service, and everybody may read it.
  const findOthers = () =>
    lab.sh(
      "find /var/lib/private/edge-infer* /var/cache/private/edge-infer ! -user edge-infer ! '(' -name '*.lic' -perm 644 ')'",
    );
  expect(await findOthers()).toBe('');
  await lab.sh('systemctl restart edge-infer.service');
  await lab.waitUntilReady();
  expect(await readState()).toBe('VALID');
  await lab.reboot();
  await lab.waitUntilReady();
  expect(await readState()).toBe('VALID');
  expect(await findOthers()).toBe('');
});

test('a licence that root put there by hand counts', async () => {
  await lab.sh(
    'edge-infer license remove imagenet || edge-infer license remove $(ls /var/lib/edge-infer/licenses | head -1)',
  );
  await expect.poll(readState, { timeout: 10_000 }).not.toBe('VALID');
  await lab.sh(
    'umask 077; cp /root/host.lic /var/lib/edge-infer/licenses/by-hand.lic; chown root:root /var/lib/edge-infer/licenses/by-hand.lic; chmod 644 /var/lib/edge-infer/licenses/by-hand.lic',
  );
  await expect.poll(readState, { timeout: 10_000 }).toBe('VALID');
});
