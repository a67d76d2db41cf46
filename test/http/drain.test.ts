import { expect, test } from 'vitest';
import { buildRequest, exchange, openConnection } from '../support/raw-http.ts';
import { startTestServer } from '../support/server.ts';
import { imagenetOf, occupyWorker } from './support/busy-workers.ts';
import { createBmp } from './support/tiny-images.ts';

const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;
const body = JSON.stringify({ image: createBmp(20, 20).toString('base64'), top_num: 1 });

test('a stop answers what is in progress and what kept-alive connections still send', async () => {
  await using running = await startTestServer({ workers: '1' });
  const { servicePort: port } = running.server;
  const service = imagenetOf(running);
  using kept = await openConnection(port);
  await kept.send(buildRequest({ body }));
  expect((await kept.read()).headers.get('connection')).toBe('keep-alive');
  using waiting = await openConnection(port);
  using sending = await openConnection(port);
  using silent = await openConnection(port);
  using idle = await openConnection(port);
  await idle.send(buildRequest({ body: '{}' }));
  await idle.read();

  const release = await occupyWorker(service);
  await waiting.send(buildRequest({ body }));
  await expect.poll(() => service.admission.waitingRequests).toBe(1);
  const request = buildRequest({ body });
  await sending.send(request.subarray(0, -20));
  await expect.poll(() => service.admission.openRequests).toBe(3);

  const stopping = running.server.stop();
  await kept.send(buildRequest({ body }));
  await sending.send(request.subarray(-20));
  await expect.poll(() => service.admission.waitingRequests).toBe(3);
  await expect(openConnection(port)).rejects.toThrow('ECONNREFUSED');
  const ready = await exchange(running.server.adminPort, { method: 'GET', path: '/readyz' });
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body.toString())).toMatchObject({ status: 'draining' });
  // Connections without a request are cut after a grace, and nothing else is.
  expect(await idle.ended).toBe('closed');
  expect(await silent.ended).toBe('closed');
  release();

  for (const connection of [waiting, kept, sending]) {
    const answer = await connection.read();
    expect(answer.masked).toMatch(classified);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.ended).toBe('closed');
  }
  await stopping;
});

test('a stop cuts what is still open when its time is up', async () => {
  await using running = await startTestServer({ workers: '1', 'drain-timeout-ms': '200' });
  const service = imagenetOf(running);
  const release = await occupyWorker(service);
  using waiting = await openConnection(running.server.servicePort);
  await waiting.send(buildRequest({ body }));
  await expect.poll(() => service.admission.waitingRequests).toBe(1);
  await running.server.stop();
  expect(await waiting.ended).not.toBe(undefined);
  await expect.poll(() => service.admission.openRequests).toBe(1);
  release();
});

test('a stop lets a worker end what a caller who hung up has left it with', async () => {
  await using running = await startTestServer({ workers: '1' });
  const { admission } = imagenetOf(running);
  const connection = await openConnection(running.server.servicePort);
  await connection.send(buildRequest({ body }));
  await expect.poll(() => admission.openRequests, { interval: 1 }).toBe(1);
  connection.hangUp();
  // Ending the thread inside the native runtime would abort this process.
  await running.server.stop();
  expect(admission).toMatchObject({ openRequests: 0, heldBytes: 0 });
});
