import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createWatchClock,
  describeHang,
  findHangLimits,
  LOOK_INTERVAL_MS,
} from '../../src/inference/hang-watch.ts';
import { classify } from '../models/classify.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { classifier, writeClassifier } from '../support/onnx-model.ts';
import { makeFolder } from '../support/run-cli.ts';
import { startHeldServer } from './holder.ts';
import { startReceiver } from './receiver.ts';

const folder = await makeFolder();
const bright = oneColourBmp([250, 250, 250]);
const dark = oneColourBmp([0, 0, 0]);

test('a worker that hangs in native code is seen, said everywhere and left to the watchdog', async () => {
  const hanging = classifier({ idleRounds: 1e15 });
  const models = {
    good: await writeClassifier(join(folder, 'good'), hanging),
    // Its golden example never comes to an end.
    stuck: await writeClassifier(join(folder, 'stuck'), hanging, {
      manifest: (manifest) => ({
        ...manifest,
        golden: {
          scoreTolerance: 0.1,
          examples: [{ image: 'bright.bmp', top: [{ name: 'class 0', score: 0.5 }] }],
        },
      }),
      files: { 'bright.bmp': bright },
    }),
  };
  const address = join(folder, 'notify');
  using manager = await startReceiver(address);
  await using held = await startHeldServer({
    sockets: ['service=127.0.0.1:0', 'admin=127.0.0.1:0'],
    flags: [
      ...['--port', '0', '--admin.port', '0', '--workers', '2', '--deadline-ms', '1000'],
      ...['--services.0.deploy-name', 'good', '--services.0.model', models.good],
      ...['--services.1.deploy-name', 'stuck', '--services.1.model', models.stuck],
      ...['--state-dir', '/dev/null/state', '--license.dir', join(folder, 'licenses')],
    ],
    env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '900000' },
  });
  const [port, adminPort] = [held.ports.get('service'), held.ports.get('admin')];
  const url = `http://127.0.0.1:${port}`;
  const health = async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).json();
  const timed = { timeout: 40_000, interval: 200 };

  // One that never was ready hangs: it fails, the others are served, nothing is restarted.
  await expect.poll(manager.messages, timed).toContain('READY=1');
  expect(await health()).toMatchObject({
    services: [
      { deployName: 'good', state: 'ready' },
      {
        deployName: 'stuck',
        state: 'failed',
        problems: [expect.stringMatching(/^worker \d has been busy with one image for 1\d s/)],
      },
    ],
  });
  expect(manager.messages()).not.toContain('WATCHDOG=trigger');

  expect(await classify(url, 'good', bright)).toMatchObject({ error_code: 336100 }); // its deadline
  await expect.poll(manager.messages, timed).toContain('WATCHDOG=trigger');
  const hang =
    'worker \\d has been busy with one image for 1\\d s \\(more than 1\\d s is a hang\\); only a restart of the process ends it';
  expect(manager.messages().findLast((message) => message.startsWith('STATUS='))).toMatch(
    new RegExp(`^STATUS=Hung: good: ${hang} · Not ready: stuck: .+ · Ready: good`),
  );
  expect(await health()).toMatchObject({
    status: 'not ready',
    services: [{ deployName: 'good', state: 'hung', problems: [expect.stringMatching(hang)] }, {}],
  });
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  expect(metrics).toMatch(/^edge_infer_service_hung\{service="good"\} 1$/m);
  expect(metrics).toMatch(/^edge_infer_service_ready\{service="good"\} 0$/m);
  expect(held.stdout()).toMatch(/"level":"fatal",.+"service":"good","hang":"worker /);
  expect(await classify(url, 'good', dark)).toMatchObject({ results: expect.anything() }); // the other worker

  const pings = () => manager.messages().filter((message) => message === 'WATCHDOG=1').length;
  const known = pings();
  // No orderly end ends such a thread; the process ends all the same.
  expect(await held.stop()).toBe(0);
  expect(pings()).toBe(known);
  expect(held.stdout()).toContain('"msg":"a worker still hangs, so this process is killed"');
});

test('load alone is no hang: limits follow the deadline and what the host was seen to need', () => {
  const fast = findHangLimits(10_000, { loadMs: 300, goldenMs: 15 });
  expect(fast).toEqual({ load: 66_000, task: 20_000, ping: 20_000 });
  const slow = findHangLimits(100, { loadMs: 9_000, goldenMs: 4_000 });
  expect(slow).toEqual({ load: 240_000, task: 90_000, ping: 90_000 });
  expect(findHangLimits(100, { loadMs: 0, goldenMs: 0 }).load).toBe(600_000);
  expect(describeHang(0, { what: 'task', sinceMs: 0 }, 89_000, slow)).toBeUndefined();
  expect(describeHang(0, { what: 'task', sinceMs: 0 }, 91_000, slow)).toMatch(/^worker 1 .+ 91 s/);
  expect(describeHang(0, undefined, 1e9, slow)).toBeUndefined();
});

test('time in which the whole process stood still does not count', () => {
  let now = 0;
  const clock = createWatchClock(() => now);
  now += LOOK_INTERVAL_MS;
  clock.tick();
  now += 3_600_000; // suspended
  expect(clock.nowMs).toBe(3 * LOOK_INTERVAL_MS);
  clock.tick();
  expect(clock.nowMs).toBe(3 * LOOK_INTERVAL_MS);
});
