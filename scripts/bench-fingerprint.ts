/**
 * `npm run bench:fingerprint`: what reading the hardware costs the main thread, on this host and
 * with 83 network interfaces in a namespace of their own, beside the same time without reading.
 * Exits with 1 where a read took 50 ms of the main thread, or held it for 20 ms while it was never
 * held so long at rest.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readHostFacts } from '../src/hardware/read-host-facts.ts';
import { readMainThreadCpuMs } from './bench/main-thread-cpu.ts';
import { median } from './bench/measurement.ts';

const READS = 20;
const DEADLINE_MS = 10_000;
const RESOLUTION_MS = 1;
const HELD_BYTES = 256 * 1024 * 1024;
const MAXIMUM_CPU_MS = 50;
const MAXIMUM_DELAY_MS = 20;
/** Both ends of each pair count, and `lo`. */
const VETH_PAIRS = 41;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Longest time in which the main thread looked after nothing else. */
  readonly delayMs: number;
}

/** CPU time and delays apart: watching delays takes more of the main thread than reading does. */
async function measure(work: () => Promise<unknown>): Promise<Cost> {
  const startMs = performance.now();
  const startCpuMs = await readMainThreadCpuMs(process.pid);
  await work();
  const cpuMs = (await readMainThreadCpuMs(process.pid)) - startCpuMs;
  const wallMs = performance.now() - startMs;
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  await sleep(20); // the monitor's first look
  delays.reset();
  await work();
  await sleep(5); // the look that a long stop held up
  delays.disable();
  return { wallMs, cpuMs, delayMs: Math.max(0, delays.max / 1e6 - RESOLUTION_MS) };
}

/** As much memory as a server has: starting a process from it takes time for each page. */
const held = Buffer.alloc(HELD_BYTES, 1);

async function readOnce(): Promise<void> {
  const facts = await readHostFacts({ deadlineMs: DEADLINE_MS });
  if (!facts.ok) throw new Error(facts.error);
}

function report(what: string, costs: readonly Cost[]): void {
  const format = (key: keyof Cost) => {
    const values = costs.map((cost) => cost[key]);
    return `${median(values).toFixed(1)} (${Math.max(...values).toFixed(1)})`.padStart(16);
  };
  console.log(`${what.padEnd(28)}${format('cpuMs')}${format('delayMs')}${format('wallMs')}`);
}

async function measureHere(name: string): Promise<void> {
  await measure(readOnce); // compiles what the main thread needs for it
  const reads: Cost[] = [];
  const rests: Cost[] = [];
  for (let round = 0; round < READS; round++) {
    const read = await measure(readOnce);
    reads.push(read);
    rests.push(await measure(() => sleep(read.wallMs)));
  }
  report(name, reads);
  report('  the same time at rest', rests);
  const longest = (costs: readonly Cost[], key: keyof Cost) =>
    Math.max(...costs.map((cost) => cost[key]));
  const isHeld =
    longest(reads, 'delayMs') >= MAXIMUM_DELAY_MS && longest(rests, 'delayMs') < MAXIMUM_DELAY_MS;
  held.fill(2); // until here it is in use
  process.exitCode = isHeld || longest(reads, 'cpuMs') >= MAXIMUM_CPU_MS ? 1 : 0;
}

if (process.argv.includes('--in-namespace')) {
  await measureHere(`${readdirSync('/sys/class/net').length} interfaces`);
} else {
  const head = ['main thread CPU', 'longest delay', 'wall']
    .map((name) => name.padStart(16))
    .join('');
  console.log(`ms: median (longest) of ${READS}`.padEnd(28) + head);
  await measureHere(`${readdirSync('/sys/class/net').length} interfaces, this host`);
  const script = `mount -t sysfs none /sys
    for i in $(seq ${VETH_PAIRS}); do ip link add a$i type veth peer name b$i; done
    exec "$0" "$1" --in-namespace`;
  const namespaces = ['--map-root-user', '--net', '--mount', 'sh', '-ec', script];
  const program = [process.execPath, fileURLToPath(import.meta.url)];
  const { status } = spawnSync('unshare', [...namespaces, ...program], { stdio: 'inherit' });
  if (status !== 0) {
    console.log('with 83 interfaces: too slow, or this system lets nobody make namespaces');
    process.exitCode = 1;
  }
}
