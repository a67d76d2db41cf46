import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange, type RawAnswer } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noModels } from './support/no-models.ts';

const origin = 'https://panel.example:8443';
const corsHeaders = ({ headers }: RawAnswer) =>
  Object.fromEntries([...headers].filter(([name]) => /^(access-control-|vary$)/.test(name)));

const preflight = {
  method: 'OPTIONS',
  headers: [
    'Origin: https://page.example',
    'Access-Control-Request-Method: POST',
    'Access-Control-Request-Headers: content-type,x-other',
  ],
};
const refused = { headers: ['Origin: https://page.example'], body: '{}' };
const unknown = { ...refused, path: '/nobody' };

describe.each([
  ['*', '*'],
  [origin, origin],
])('with http.corsOrigin %s', (corsOrigin, allowed) => {
  let running: TestServer;
  let port: number;
  beforeAll(async () => {
    running = await startTestServer({ ...noModels, 'http.cors-origin': corsOrigin });
    port = running.server.servicePort;
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test('answers a preflight', async () => {
    const answer = await exchange(port, preflight);
    expect(answer.status).toBe(204);
    expect(answer.body).toHaveLength(0);
    expect(corsHeaders(answer)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': allowed,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,x-other',
      'access-control-max-age': '86400',
    });
  });

  test('lets a page read refusals and unknown paths too', async () => {
    for (const request of [refused, unknown]) {
      expect(corsHeaders(await exchange(port, request))).toEqual({
        vary: 'Origin',
        'access-control-allow-origin': allowed,
        'access-control-expose-headers': 'Retry-After',
      });
    }
  });

  test('refuses OPTIONS that is no preflight as a wrong method', async () => {
    const answer = await exchange(port, { method: 'OPTIONS' });
    expect(answer.masked).toContain('"error_code":336001,');
  });
});

test('sends no CORS headers with http.corsOrigin none', async () => {
  await using running = await startTestServer({ ...noModels, 'http.cors-origin': 'none' });
  for (const request of [preflight, refused, unknown]) {
    const answer = await exchange(running.server.servicePort, request);
    expect(corsHeaders(answer)).toEqual({});
    expect(answer.status).not.toBe(204);
  }
});
