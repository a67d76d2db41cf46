/** Starting by itself at boot, how long that takes, and what it takes of the host. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootServiceLab, type ServiceLab, tell } from './support/service-lab.ts';

let lab: ServiceLab;

beforeAll(async () => {
  lab = await bootServiceLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

test('says that it is ready, the first time and each time after', async () => {
  const starts: string[] = [];
  for (let start = 0; start < 6; start++) {
    await lab.sh('systemctl restart edge-infer.service');
    await lab.waitUntilReady();
    const { wallMs, cpuMs } = await lab.readStart();
    starts.push(`${wallMs.toFixed(0)} (CPU ${cpuMs})`);
  }
  tell(`process start to READY, in ms: first ${starts.join(', then ')}; wanted: 5000, then 1000`);
  expect(await lab.show('NRestarts')).toBe('0');
});

test.each(['in-order', 'power-cut'] as const)(
  'reboot (%s): serving again with no hand laid on it',
  async (how) => {
    const started = performance.now();
    await lab.reboot(how);
    await lab.waitUntilReady();
    tell(
      `${how}: serving ${(performance.now() - started).toFixed(0)} ms after the reboot was asked for`,
    );
    expect(await lab.sh('systemctl is-active edge-infer.service')).toBe('active');
    expect(await lab.show('NRestarts')).toBe('0');
  },
);

test('memory, idle and under load', async () => {
  // Of the process itself: the lab's disk is memory too, and counts in its control group.
  const readMiB = async () =>
    Number(
      await lab.sh(
        `awk '/^Pss:/ {print $2}' /proc/$(systemctl show --value -p MainPID edge-infer)/smaps_rollup`,
      ),
    ) / 1024;
  await lab.sh('systemctl restart edge-infer.service');
  await lab.waitUntilReady();
  const idle = await readMiB();
  const load = lab.startLoad(16, 'keep-alive');
  await sleep(10_000);
  const loaded = await readMiB();
  const counts = await load.stop();
  tell(`memory (Pss): ${idle.toFixed(0)} MiB idle, ${loaded.toFixed(0)} MiB under 16 callers`);
  expect(counts.failed).toEqual({});
  expect(loaded).toBeLessThan(600);
});
