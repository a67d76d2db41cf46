import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { err } from '../../src/core/result.ts';
import { createNotifier } from '../../src/systemd/notify.ts';
import { takeWatchdogMs } from '../../src/systemd/watchdog.ts';
import { makeFolder } from '../support/run-cli.ts';
import { startHeldServer } from './holder.ts';
import { startReceiver } from './receiver.ts';

const folder = await makeFolder();
const problems: string[] = [];
const noteProblem = (problem: string) => void problems.push(problem);
const withoutAddon = () => err('not built');
afterAll(() => expect(problems).toHaveLength(1)); // of the one test that has one

test('systemd is told of start, readiness, health and stop, and what a person wants to know', async () => {
  const address = join(folder, 'notify');
  using manager = await startReceiver(address);
  await using held = await startHeldServer({
    sockets: ['service=127.0.0.1:0'],
    flags: ['--workers', '1', '--port', '24499', '--admin.port', '0'],
    env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '900000' },
  });
  const messages = manager.messages;
  const timed = { timeout: 20_000 };
  await expect.poll(messages, timed).toContain('READY=1');
  const before = messages().slice(0, messages().indexOf('READY=1'));
  expect(before[0]).toMatch(/^STATUS=Loading: imagenet · version \d/);
  expect(before).toContain('EXTEND_TIMEOUT_USEC=30000000');
  await expect
    .poll(
      () =>
        messages()
          .filter((message) => message.startsWith('STATUS='))
          .at(-1),
      timed,
    )
    .toMatch(
      /^STATUS=Ready: imagenet \(efficientnet-lite0, cpu\) · evaluation, \d+ days left · the service socket .+ run install\.sh again.+ · version \d/,
    );
  const pings = () => messages().filter((message) => message === 'WATCHDOG=1').length;
  const known = pings();
  await expect.poll(pings, timed).toBeGreaterThan(known + 2);

  expect(await held.stop()).toBe(0);
  const told = messages().slice(messages().indexOf('STOPPING=1'));
  expect(told).toContain('EXTEND_TIMEOUT_USEC=35000000');
  expect(told).toContain('STATUS=Stopping: finishing the requests in progress');
  const statuses = messages().filter((message) => message.startsWith('STATUS='));
  expect(new Set(statuses).size).toBe(statuses.length); // only news
});

test.each([
  ['the addon', undefined],
  ["systemd's own program", withoutAddon],
])('messages reach a path and an abstract name through %s, in order', async (_, load) => {
  for (const address of [join(folder, randomUUID()), `@edge-infer-test-${randomUUID()}`]) {
    using manager = await startReceiver(address);
    const env = { NOTIFY_SOCKET: address };
    const found: string[] = []; // until the manager goes, which the program may notice
    const notifier = createNotifier((problem) => void found.push(problem), env, load);
    expect(env).toEqual({});
    notifier.status('two\nlines\u0007 with "quotes"');
    notifier.reloading();
    notifier.ready();
    notifier.trigger();
    // The program makes sure by one more message that it was read.
    const messages = () => manager.messages().filter((message) => message !== 'BARRIER=1');
    await expect.poll(() => messages().length, { timeout: 20_000 }).toBe(4);
    expect(messages()).toEqual([
      'STATUS=two lines with "quotes"',
      expect.stringMatching(/^RELOADING=1 \| MONOTONIC_USEC=\d+$/),
      'READY=1',
      'WATCHDOG=trigger',
    ]);
    expect(found).toEqual([]);
  }
});

test('what a busy manager does not take at once is sent again, and nothing waits', async () => {
  const address = join(folder, 'busy');
  using manager = await startReceiver(address, 'later');
  const notifier = createNotifier(noteProblem, { NOTIFY_SOCKET: address });
  for (let i = 0; i < 2_000; i++) {
    notifier.ping(); // more than the kernel keeps for a reader
  }
  notifier.ready();
  manager.process.kill('SIGUSR2');
  await expect.poll(manager.messages, { timeout: 20_000 }).toContain('READY=1');
});

test('a manager that has gone is told of once, and no manager never', () => {
  const notifier = createNotifier(noteProblem, { NOTIFY_SOCKET: join(folder, 'nobody') });
  notifier.ready();
  notifier.ping();
  expect(problems).toEqual([expect.stringMatching(/cannot be told how things stand: .+ENOENT$/)]);
  expect(createNotifier(noteProblem, {}).isHeard).toBe(false);
});

test('the watchdog is that of this process alone', () => {
  const env = { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '7' };
  expect(takeWatchdogMs({ ...env }, 8)).toBeUndefined();
  expect(takeWatchdogMs({ WATCHDOG_USEC: 'soon' }, 7)).toBeUndefined();
  expect(takeWatchdogMs({ WATCHDOG_USEC: '10000000' }, 7)).toBe(10_000);
  expect(takeWatchdogMs(env, 7)).toBe(10_000);
  expect(env).toEqual({});
});
