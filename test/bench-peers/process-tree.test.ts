import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { readResidentBytes } from '../../scripts/bench-peers/memory.ts';
import { ProcessTree } from '../../scripts/bench-peers/process-tree.ts';

/** Burns CPU time and tells how much the process has taken in all, in ms. */
const burn = `
  while (process.cpuUsage().user < 150_000) for (let i = 0; i < 1e6; i++);
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);
`;
/** Burns, has a child that does so and ends, and then one that does so and stays. */
const family = `
  const { spawn, spawnSync } = require('node:child_process');
  ${burn}
  const stays = ${JSON.stringify(`${burn} console.log('ready'); setInterval(() => undefined, 1000);`)};
  spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}], { stdio: 'inherit' });
  spawn(process.execPath, ['-e', stays], { stdio: 'inherit' });
`;

let parent: ChildProcess;
async function startFamily(): Promise<{ tree: ProcessTree; burntMs: number }> {
  parent = spawn(process.execPath, ['-e', family], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout, pid } = parent as ChildProcess & { stdout: Readable; pid: number };
  let text = '';
  for await (const chunk of stdout) {
    text += chunk;
    if (text.includes('ready')) {
      break;
    }
  }
  const burntMs = text.match(/[\d.]+/g)?.reduce((sum, ms) => sum + Number(ms), 0);
  return { tree: new ProcessTree(pid), burntMs: burntMs ?? Number.NaN };
}
afterEach(() => new ProcessTree(parent.pid as number).kill('SIGKILL'));

/** `T` is stopped, `Z` ended and not yet waited for (proc(5)). */
const readState = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];

test('counts the CPU time of a process, its child and a child that has ended', async () => {
  const { tree, burntMs } = await startFamily();
  expect(tree.pids()).toHaveLength(2);
  // Between their telling and this look they have done little but start and end: with one of the
  // three left out or counted twice, a third would be missing or too much.
  expect(tree.cpuMs() / burntMs).toBeGreaterThan(0.9);
  expect(tree.cpuMs() / burntMs).toBeLessThan(1.25);
});

test('counts memory that its processes share once, whatever others map', async () => {
  const { tree } = await startFamily();
  const resident = tree.pids().map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (field: string) =>
      Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
    return { anonymous: read('RssAnon'), file: read('RssFile') };
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value);
  const anonymous = sum(resident.map((process) => process.anonymous));
  const files = resident.map(({ file }) => file);
  // Both run the same program, so most pages of files are shared, and this process shares them too.
  const bytes = readResidentBytes(tree.pids());
  expect(bytes).toBeGreaterThan((anonymous + Math.max(...files)) * 0.95);
  expect(bytes).toBeLessThan(anonymous + sum(files) * 0.75);
});

test('reaches every process with a signal', async () => {
  const { tree } = await startFamily();
  const pids = tree.pids();
  tree.kill('SIGSTOP');
  await expect.poll(() => pids.map(readState)).toEqual(['T', 'T']);
  const stoppedAtMs = tree.cpuMs();
  await sleep(50);
  expect(tree.cpuMs()).toBe(stoppedAtMs);
});

test('finds a process whose parent has ended', async () => {
  const { tree } = await startFamily();
  const [, child] = tree.pids() as [number, number];
  const ended = once(parent, 'exit');
  parent.kill('SIGKILL');
  await ended;
  expect(tree.pids()).toEqual([child]);
});
