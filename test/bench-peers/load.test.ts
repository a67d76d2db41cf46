import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { percentile, sendLoad } from '../../scripts/bench-peers/load.ts';

let server: Server;
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
afterEach(() => server.close());

const bodies = ['one', 'two', 'three'].map((text) => Buffer.from(text));
const load = { bodies, callers: 4, seconds: 0.6, findFault: () => undefined };

/** Answers with what it was sent, in upper case. */
const shout: RequestListener = (request, response) => {
  request.setEncoding('utf8').on('data', (text: string) => response.end(text.toUpperCase()));
};

test('sends all bodies over one connection a caller, and looks at each answer', async () => {
  const url = await serve(shout);
  let connections = 0;
  server.on('connection', () => connections++);
  const answers: string[] = [];
  const findFault = (body: number, answer: string) => {
    answers.push(answer);
    return answer === bodies[body]?.toString().toUpperCase() ? undefined : 'wrong';
  };
  const result = await sendLoad({ ...load, url, findFault });
  expect(new Set(answers)).toEqual(new Set(['ONE', 'TWO', 'THREE']));
  expect(answers).toHaveLength(result.requests);
  expect(connections).toBe(load.callers);
  expect(result.p50Ms).toBeLessThanOrEqual(result.p99Ms);
});

test('counts answers from when every caller has had one, and waits for those on their way', async () => {
  let open = 0;
  let mostOpen = 0;
  const url = await serve((request, response) => {
    mostOpen = Math.max(mostOpen, ++open);
    request.resume().once('end', () => {
      setTimeout(() => {
        open--;
        response.end();
      }, 50);
    });
  });
  const result = await sendLoad({ ...load, url });
  expect(mostOpen).toBe(load.callers);
  expect(open).toBe(0);
  // Four callers, 50 ms an answer: at most 48 in 0.6 s, and first and last ones are not counted.
  const counted = Math.round(result.requestsPerSecond * load.seconds);
  expect(counted).toBeGreaterThan(0);
  expect(counted).toBeLessThanOrEqual(48);
  expect(result.requests).toBeGreaterThanOrEqual(counted + load.callers);
  expect(result.p50Ms).toBeGreaterThanOrEqual(49);
});

test('reports a wrong answer', async () => {
  const url = await serve(shout);
  const findFault = (body: number) => (body === 2 ? 'it answers nonsense' : undefined);
  await expect(sendLoad({ ...load, url, findFault })).rejects.toThrow(
    'under load from 4 callers, it answers nonsense',
  );
});

test('reports an answer that is not HTTP 200', async () => {
  const url = await serve((_, response) => response.writeHead(503).end('full'));
  await expect(sendLoad({ ...load, url })).rejects.toThrow('HTTP 503: full');
});

test('takes percentiles by the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100]);
  expect(percentile([7], 0.99)).toBe(7);
});
