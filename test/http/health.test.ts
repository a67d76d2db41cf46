import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startTestServer({ workers: '1', threads: '2' });
});
afterAll(() => running[Symbol.asyncDispose]());

const portOf = (address: string) =>
  address === 'admin' ? running.server.adminPort : running.server.servicePort;
const get = (address: string, path: string, method = 'GET') =>
  exchange(portOf(address), { method, path });

describe.each(['service', 'admin'])('the %s address', (address) => {
  test('says that the process is alive', async () => {
    const { body, statusLine } = await get(address, '/healthz');
    expect(body.toString()).toBe('{"status":"alive"}');
    expect(statusLine).toBe('HTTP/1.1 200 OK');
    expect((await get(address, '/healthz', 'HEAD')).status).toBe(200);
  });

  test('says that it is ready', async () => {
    const { body, status } = await get(address, '/readyz');
    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({
      status: 'ready',
      services: [{ deployName: 'imagenet', state: 'ready', device: 'cpu' }],
    });
  });

  test.each(['/nothing', '/healthz/x', '/', '/HEALTHZ'])('answers %s with 404', async (path) => {
    const { masked, status } = await get(address, path);
    expect(status).toBe(404);
    expect(masked).toMatch(
      /^\{"error_code":3,"error_msg":"Unsupported openapi method","log_id":ID,/,
    );
  });
});

test('queues, versions and metrics are shown on the admin address only', async () => {
  const [service, admin] = await Promise.all([get('service', '/readyz'), get('admin', '/readyz')]);
  expect(service.body.toString()).not.toMatch(/sha256|queue|heldBytes|uptime|threads/i);
  expect(JSON.parse(admin.body.toString())).toMatchObject({
    services: [
      {
        ...{ openRequests: 0, waitingRequests: 0, heldBytes: 0, classCount: 1000 },
        ...{ workers: 1, threads: 2 },
      },
    ],
  });

  expect((await get('service', '/metrics')).status).toBe(404);
  const metrics = await get('admin', '/metrics');
  expect(metrics.status).toBe(200);
  expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(metrics.body.toString()).toMatch(/^edge_infer_requests_total\{/m);
});

test('the admin address classifies nothing', async () => {
  const { status } = await exchange(running.server.adminPort, { body: '{}' });
  expect(status).toBe(404);
});
