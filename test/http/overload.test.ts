import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageService } from '../../src/inference/service.ts';
import { createTestHost } from '../licensing/license-fixture.ts';
import { buildRequest, exchange, openConnection, type RawAnswer } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { imagenetOf, occupyWorker } from './support/busy-workers.ts';
import { noModels } from './support/no-models.ts';
import { createBmp } from './support/tiny-images.ts';
import { startWatchedServer } from './support/watched-server.ts';

const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;
const body = JSON.stringify({ image: createBmp(20, 20).toString('base64'), top_num: 1 });

function expectUnavailable(answer: RawAnswer, detail: string, retryAfter: string, status = 200) {
  expect(answer.masked).toBe(
    `{"error_code":336100,"error_msg":"model temporarily unavailable","log_id":ID,"error_detail":"${detail}"}`,
  );
  expect(answer.status).toBe(status);
  expect(answer.headers.get('retry-after')).toBe(retryAfter);
}

describe.each([
  ['compatible', 200],
  ['semantic', 503],
] as const)('with http.statusCodes %s', (statusCodes, status) => {
  let running: TestServer;
  let service: ImageService;
  let port: number;
  beforeAll(async () => {
    running = await startTestServer({
      workers: '1',
      'queue.max-requests': '1',
      'queue.max-bytes': '1MiB',
      'deadline-ms': '300',
      'http.status-codes': statusCodes,
    });
    port = running.server.servicePort;
    service = imagenetOf(running);
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test('refuses at once when the queue is full, and who waits when the deadline passes', async () => {
    const release = await occupyWorker(service);
    const waiting = exchange(port, { body });
    await expect.poll(() => service.admission.waitingRequests).toBe(1);

    const refused = await exchange(port, { body });
    expect(service.admission.waitingRequests).toBe(1);
    const full = 'the queue is full: 1 waiting, at most 1 may; try again soon';
    expectUnavailable(refused, full, '1', status);

    const late = 'the deadline passed before an answer was ready; try again soon';
    expectUnavailable(await waiting, late, '1', status);
    release();
    expect((await exchange(port, { body })).masked).toMatch(classified);
    expect(service.admission).toMatchObject({ openRequests: 0, waitingRequests: 0, heldBytes: 0 });
  });

  test('serves the next one who waits when a caller before it hangs up', async () => {
    const release = await occupyWorker(service);
    const connection = await openConnection(port);
    await connection.send(buildRequest({ body }));
    await expect.poll(() => service.admission.waitingRequests).toBe(1);
    connection.hangUp();
    await expect.poll(() => service.admission.waitingRequests).toBe(0);

    const waiting = exchange(port, { body });
    await expect.poll(() => service.admission.waitingRequests).toBe(1);
    release();
    expect((await waiting).masked).toMatch(classified);
    expect(service.admission).toMatchObject({ openRequests: 0, waitingRequests: 0, heldBytes: 0 });
  });

  test('refuses a body beyond the memory of the queue, and reads the next request', async () => {
    using connection = await openConnection(port);
    await connection.send(buildRequest({ body: ' '.repeat(3_000_000) }));
    expectUnavailable(
      await connection.read(),
      'the server holds as many bytes of requests as it may (1048576); try again soon',
      '1',
      status,
    );
    await connection.send(buildRequest({ body }));
    expect((await connection.read()).masked).toMatch(classified);
    expect(service.admission.heldBytes).toBe(0);
  });

  test('gives the place back of a caller who hangs up while sending', async () => {
    const connection = await openConnection(port);
    await connection.send(buildRequest({ headers: ['Content-Length: 100000'], body: '{"image' }));
    await expect.poll(() => service.admission.openRequests).toBe(1);
    expect(service.admission.heldBytes).toBeGreaterThan(0);
    connection.hangUp();
    await expect.poll(() => service.admission.openRequests).toBe(0);
    expect(service.admission.heldBytes).toBe(0);
  });
});

test('asks for a minute while the model loads', async () => {
  const host = createTestHost({ evaluation: { enabled: true, days: 30 } });
  await using running = await startWatchedServer({ workers: '1' }, host.openSources);
  const { licenses } = running.server;
  await expect.poll(() => licenses.findDecision('imagenet').state).not.toBe('CHECKING');
  const answer = await exchange(running.server.servicePort, { body });
  expectUnavailable(answer, 'service imagenet is not ready: the model is loading', '60');
  const ready = await exchange(running.server.servicePort, { method: 'GET', path: '/readyz' });
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body.toString())).toMatchObject({
    status: 'not ready',
    services: [{ deployName: 'imagenet', state: 'loading' }],
  });
  await running.server.loaded;
  expect((await exchange(running.server.servicePort, { body })).masked).toMatch(classified);
});

test('asks for a minute when the model could not be loaded', async () => {
  await using running = await startTestServer(noModels);
  const answer = await exchange(running.server.servicePort, { body });
  expect(answer.masked).toContain('"error_code":336100,');
  expect(answer.headers.get('retry-after')).toBe('60');
});
