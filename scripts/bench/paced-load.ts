import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { post } from './post.ts';

export interface PacedLoadOptions {
  readonly url: string;
  readonly body: string;
  readonly callers: number;
  readonly requestsPerSecond: number;
  readonly requestCount: number;
}

/**
 * Sends requests at a rate, evenly over time and from a number of kept-alive connections, as a
 * server sees them whose callers wait for their answers.
 */
export async function sendPacedLoad(options: PacedLoadOptions): Promise<void> {
  const { url, body, callers, requestCount } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const intervalMs = 1000 / options.requestsPerSecond;
  const startedMs = performance.now();
  let next = 0;
  const call = async () => {
    for (let index = next++; index < requestCount; index = next++) {
      const dueMs = startedMs + index * intervalMs;
      await sleep(Math.max(0, dueMs - performance.now()));
      await post(url, agent, body);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  agent.destroy();
}
