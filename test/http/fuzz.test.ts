import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildRequest, exchange, imagenetPath, openConnection } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { imagenetOf } from './support/busy-workers.ts';
import { createBmp } from './support/tiny-images.ts';

const image = createBmp(15, 15).toString('base64');
const body = `{"image":"${image}","top_num":1}`;
const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const requests = [
  buildRequest({ body }),
  buildRequest({ headers: ['Transfer-Encoding: chunked'], body: chunks }),
  buildRequest({ headers: ['Expect: 100-continue', 'Connection: close'], body }),
  Buffer.concat([buildRequest({ body: '{}' }), buildRequest({ method: 'GET', path: '/readyz' })]),
];

/** One damage to a request: `bytes` written over its own at a fraction of its length. */
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
    fc.constantFrom('\r\n', '\r\n\r\n', '\0', '%', ' HTTP/1.1\r\n', '"', '{').map(Buffer.from),
  ),
});

/** Everything that came back must be whole answers, each with a status and JSON. */
function expectAnswers(received: string): void {
  let rest = received;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n([^\r\n]+\r\n)*\r\n/.exec(rest);
    expect(head, rest.slice(0, 200)).not.toBeNull();
    const headText = head?.[0] ?? '';
    const length = Number(/content-length: (\d+)/i.exec(headText)?.[1] ?? 0);
    const bytes = Buffer.from(rest).subarray(headText.length);
    if (length > 0) {
      const json = bytes.subarray(0, length).toString();
      expect(() => JSON.parse(json), json).not.toThrow();
    }
    rest = bytes.subarray(length).toString();
  }
}

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({ workers: '2' });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

test('damaged requests get whole answers or none, and hurt nobody else', async () => {
  const property = fc.asyncProperty(
    fc.nat(requests.length - 1),
    fc.array(damage, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
    async (index, damages, isCut) => {
      const bytes = Buffer.from(requests[index] ?? []);
      for (const { at, bytes: damaging } of damages) {
        bytes.set(damaging, Math.floor(at * (bytes.length - 16)));
      }
      using connection = await openConnection(port);
      const length = isCut ? Math.floor(bytes.length * (damages[0]?.at ?? 1)) : bytes.length;
      await connection.send(bytes.subarray(0, length));
      connection.finishSending();
      expect(await connection.ended).toBe('closed');
      expectAnswers(connection.rest());
    },
  );
  await fc.assert(property, { seed: 20_260_102, numRuns: 400 });

  const { admission } = imagenetOf(running);
  await expect.poll(() => admission.openRequests).toBe(0);
  expect(admission).toMatchObject({ waitingRequests: 0, heldBytes: 0 });
  const answer = await exchange(port, { path: imagenetPath, body });
  expect(answer.masked).toMatch(/^\{"log_id":ID,"results":\[/);
});

test('many callers who hang up hurt nobody else', async () => {
  const gone = Array.from({ length: 20 }, async (_, index) => {
    const connection = await openConnection(port);
    const request = buildRequest({ body });
    await connection.send(index % 2 === 0 ? request : request.subarray(0, -10));
    connection.hangUp();
  });
  const staying = Array.from({ length: 10 }, () => exchange(port, { body }));
  for (const answer of await Promise.all(staying)) {
    expect(answer.masked).toMatch(/^\{"log_id":ID,"results":\[/);
  }
  await Promise.all(gone);
  const { admission } = imagenetOf(running);
  await expect.poll(() => admission.openRequests).toBe(0);
  expect(admission).toMatchObject({ waitingRequests: 0, heldBytes: 0 });
});
