import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

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
  const { callers, requestCount } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const intervalMs = 1000 / options.requestsPerSecond;
  const startedMs = performance.now();
  let next = 0;
  const call = async () => {
    for (let index = next++; index < requestCount; index = next++) {
      const dueMs = startedMs + index * intervalMs;
      await sleep(Math.max(0, dueMs - performance.now()));
      await post(options, agent);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  agent.destroy();
}

async function post({ url, body }: PacedLoadOptions, agent: Agent): Promise<void> {
  const sent = request(url, {
    method: 'POST',
    agent,
    headers: { 'Content-Length': Buffer.byteLength(body) },
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) {
    throw new Error(`answered ${response.statusCode}`);
  }
}
