import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../bench/measurement.ts';
import { type LoadOptions, sendLoad } from './load.ts';
import type { Load } from './results.ts';
import type { Server } from './server.ts';

/** For what a server does after its last answer: collect garbage, write a log line. */
const SETTLE_MS = 100;

/** A server under load: what the callers see, and the CPU time that it takes. */
export async function measureLoad(
  server: Server,
  options: Omit<LoadOptions, 'url'>,
): Promise<Load> {
  const before = server.tree.cpuMs();
  const { requests, ...seen } = await sendLoad({ url: server.url, ...options });
  await sleep(SETTLE_MS);
  return {
    callers: options.callers,
    ...seen,
    cpuMs: (server.tree.cpuMs() - before) / requests,
  };
}

/** The median of each figure over the rounds of one number of callers. */
export function summariseRounds(rounds: readonly Load[]): Load {
  const middle = (read: (load: Load) => number) => median(rounds.map(read));
  return {
    callers: middle((load) => load.callers),
    requestsPerSecond: middle((load) => load.requestsPerSecond),
    p50Ms: middle((load) => load.p50Ms),
    p99Ms: middle((load) => load.p99Ms),
    cpuMs: middle((load) => load.cpuMs),
    callerCpuMs: middle((load) => load.callerCpuMs),
  };
}

const IDLE_LOOK_MS = 1000;

/** The share of one core that a server takes while nobody asks it anything. */
export async function measureIdleShare(server: Server): Promise<number> {
  const before = server.tree.cpuMs();
  await sleep(IDLE_LOOK_MS);
  return (server.tree.cpuMs() - before) / IDLE_LOOK_MS;
}
