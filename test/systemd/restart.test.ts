/** What callers notice when the service is restarted, crashes or hangs: nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootServiceLab, type ServiceLab, tell } from './support/service-lab.ts';

let lab: ServiceLab;

beforeAll(async () => {
  lab = await bootServiceLab();
  await lab.sh('systemctl start edge-infer.service');
  await lab.waitUntilReady();
});

afterAll(() => lab[Symbol.asyncDispose]());

describe.each(['keep-alive', 'one-each'] as const)('16 callers, connections: %s', (connections) => {
  test('20 restarts fail no request', async () => {
    const load = lab.startLoad(16, connections);
    await sleep(1000);
    const started = performance.now();
    for (let restart = 0; restart < 20; restart++) {
      await lab.sh('systemctl restart edge-infer.service');
      await lab.waitUntilReady();
    }
    const seconds = (performance.now() - started) / 1000;
    const counts = await load.stop();
    tell(
      `20 restarts in ${seconds.toFixed(1)} s, ${connections}: ${counts.answered} answered, longest ${counts.longestMs.toFixed(0)} ms`,
    );
    expect(counts.failed).toEqual({});
    expect(counts.answered).toBeGreaterThan(100);
  });
});

/** Breaks the service under callers that open a connection for each request. */
async function breakUnderLoad(breakIt: string) {
  const load = lab.startLoad(8, 'one-each');
  await sleep(1000);
  const before = await lab.show('MainPID');
  const started = performance.now();
  await lab.sh(breakIt);
  await lab.sh(
    `until [ "$(systemctl show --value -p MainPID edge-infer)" != ${before} ]; do sleep 0.01; done`,
  );
  await lab.waitUntilReady();
  const backAfterMs = performance.now() - started;
  await sleep(500);
  const counts = await load.stop();
  const { wallMs } = await lab.readStart();
  const lost = JSON.stringify(counts.failed);
  return {
    counts,
    figures: `${backAfterMs.toFixed(0)} ms, of which ${wallMs.toFixed(0)} from process start to READY; lost: ${lost}`,
  };
}

test('SIGKILL of the main process: no connection refused, and serving again', async () => {
  const { figures, counts } = await breakUnderLoad(
    'kill -KILL $(systemctl show --value -p MainPID edge-infer)',
  );
  tell(`serving again after SIGKILL (wanted: 2000 ms): ${figures}`);
  expect(counts.failed).not.toHaveProperty('ECONNREFUSED');
});

test('a worker that dies of a signal in native code: no connection refused, and serving again', async () => {
  // The last thread of all is a worker's; such a signal ends the process whichever thread it meets.
  const { figures, counts } = await breakUnderLoad(
    'kill -SEGV $(ls /proc/$(systemctl show --value -p MainPID edge-infer)/task | sort -n | tail -1)',
  );
  tell(`serving again after SIGSEGV (wanted: 2000 ms): ${figures}`);
  expect(counts.failed).not.toHaveProperty('ECONNREFUSED');
});

test('a hung process is ended by the watchdog: no connection refused, and serving again', async () => {
  const { figures, counts } = await breakUnderLoad(
    'kill -STOP $(systemctl show --value -p MainPID edge-infer)',
  );
  tell(`serving again after SIGSTOP (wanted: 11000 ms): ${figures}`);
  expect(counts.failed).not.toHaveProperty('ECONNREFUSED');
  expect(await lab.sh('journalctl -u edge-infer -o cat')).toContain('Watchdog timeout');
});
