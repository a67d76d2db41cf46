import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { post } from '../bench/post.ts';

export interface LoadOptions {
  readonly url: string;
  /** Sent in turn; callers begin at different ones. */
  readonly bodies: readonly Uint8Array[];
  /** What is wrong with the answer to a body, or nothing. */
  readonly findFault: (body: number, answer: string) => string | undefined;
  /** Each has a connection of its own and waits for an answer before it asks again. */
  readonly callers: number;
  /** How long answers are counted, from when every caller has had its first (or waited for long). */
  readonly seconds: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** All of them, those before and after the counted time included. */
  readonly requests: number;
  /** CPU time of this process, which sends them, a request. */
  readonly callerCpuMs: number;
}

/**
 * Callers come one after the other: servers of several processes share connections out by who is
 * free to accept, and would all land in one process otherwise.
 */
const CALLER_INTERVAL_MS = 5;
/** Some servers leave new connections waiting while old ones have requests; this bounds it. */
const WARM_UP_LIMIT_MS = 3000;
/** Sends neighbouring callers to different photos. */
const CALLER_STRIDE = 7;

/**
 * Asks a server from a number of callers for a time. Every answer is looked at; one that is wrong
 * or missing is an error. All requests have been answered when this returns, so that their CPU time
 * is the server's alone.
 */
export async function sendLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, bodies, findFault, callers, seconds } = options;
  const latenciesMs: number[] = [];
  let requests = 0;
  let callersAnswered = 0;
  let startOfCountMs = performance.now() + callers * CALLER_INTERVAL_MS + WARM_UP_LIMIT_MS;
  let endOfCountMs = startOfCountMs + seconds * 1000;
  const cpuBefore = process.cpuUsage();

  async function call(caller: number): Promise<void> {
    await sleep(caller * CALLER_INTERVAL_MS);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let turn = 0; performance.now() < endOfCountMs; turn++) {
        const body = (caller * CALLER_STRIDE + turn) % bodies.length;
        const startedMs = performance.now();
        const answer = await post(url, agent, bodies[body] as Uint8Array);
        const endedMs = performance.now();
        requests++;
        if (endedMs >= startOfCountMs && endedMs < endOfCountMs) {
          latenciesMs.push(endedMs - startedMs);
        }
        const fault = findFault(body, answer);
        if (fault !== undefined) {
          throw new Error(`under load from ${callers} callers, ${fault}`);
        }
        if (turn === 0 && ++callersAnswered === callers && endedMs < startOfCountMs) {
          startOfCountMs = endedMs;
          endOfCountMs = endedMs + seconds * 1000;
        }
      }
    } catch (error) {
      endOfCountMs = 0; // ends the other callers
      throw error;
    } finally {
      agent.destroy();
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: callers }, (_, i) => call(i)));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) {
    throw failure.reason;
  }

  const cpu = process.cpuUsage(cpuBefore);
  latenciesMs.sort((a, b) => a - b);
  return {
    requestsPerSecond: latenciesMs.length / seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    requests,
    callerCpuMs: (cpu.user + cpu.system) / 1000 / requests,
  };
}

/** The smallest of the sorted values that at least `share` of them do not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
