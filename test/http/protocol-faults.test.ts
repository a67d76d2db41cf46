import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildRequest,
  imagenetPath,
  openConnection,
  type RawConnection,
} from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noModels } from './support/no-models.ts';

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({
    workers: '1',
    'http.headers-timeout-ms': '150',
    'http.request-timeout-ms': '300',
  });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

const json = (detail: string) =>
  `{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":${JSON.stringify(detail)}}`;
const badRequest = (code: string) =>
  json(`expected a well-formed HTTP/1.1 request, received something else (${code})`);

const head = `POST ${imagenetPath} HTTP/1.1\r\n`;

const refused: Record<string, [bytes: string, statusLine: string, body: string]> = {
  'a line that is no request': [
    'nonsense\r\n\r\n',
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_METHOD'),
  ],
  'a header without a colon': [
    `${head}Broken\r\n\r\n`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_HEADER_TOKEN'),
  ],
  'two ways of telling the length': [
    `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_TRANSFER_ENCODING'),
  ],
  'two lengths': [
    `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_UNEXPECTED_CONTENT_LENGTH'),
  ],
  'a length that is no number': [
    `${head}Content-Length: 2x\r\n\r\n{}`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_CONTENT_LENGTH'),
  ],
  'a length of 20 digits': [
    `${head}Content-Length: 99999999999999999999\r\n\r\n{}`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_CONTENT_LENGTH'),
  ],
  'a chunk without a length': [
    `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_CHUNK_SIZE'),
  ],
  'a body that ends early': [
    `${head}Content-Length: 10\r\n\r\n{}`,
    'HTTP/1.1 400 Bad Request',
    badRequest('HPE_INVALID_EOF_STATE'),
  ],
  'a TLS handshake': [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'HTTP/1.1 400 Bad Request',
    json('expected plain HTTP, received a TLS handshake; write http:// instead of https://'),
  ],
  'headers of 20 KiB': [
    `${head}X-Long: ${'x'.repeat(20_480)}\r\n\r\n`,
    'HTTP/1.1 431 Request Header Fields Too Large',
    json('expected headers of at most 16 KiB, received more'),
  ],
  'headers of 200 KiB in many lines': [
    `${head}${`X-Long: ${'x'.repeat(100)}\r\n`.repeat(2000)}\r\n`,
    'HTTP/1.1 431 Request Header Fields Too Large',
    json('expected headers of at most 16 KiB, received more'),
  ],
};

describe('answers with JSON and a clean end', () => {
  test.each(Object.entries(refused))('%s', async (name, [bytes, statusLine, body]) => {
    using connection = await openConnection(port, { reads: 'later' });
    await connection.send(Buffer.from(bytes, 'latin1'));
    if (name === 'a body that ends early') {
      connection.finishSending();
    }
    connection.startReading();
    const answer = await connection.read();
    expect(answer.statusLine).toBe(statusLine);
    expect(answer.masked).toBe(body);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.ended).toBe('closed');
  });

  test.each([
    ['headers that take too long', head],
    ['a body that takes too long', `${head}Content-Length: 10\r\n\r\n{`],
  ])('%s', async (_name, bytes) => {
    using connection = await openConnection(port);
    await connection.send(bytes);
    const answer = await connection.read();
    expect(answer.statusLine).toBe('HTTP/1.1 408 Request Timeout');
    expect(answer.masked).toBe(json('expected the whole request in time, received a part of it'));
    expect(await connection.ended).toBe('closed');
  });
});

test('goes on reading after a refusal, so that a caller still sending is not reset', async () => {
  using connection = await openConnection(port, { reads: 'later' });
  await connection.send('nonsense\r\n\r\n');
  for (let round = 0; round < 20; round++) {
    await connection.send(Buffer.alloc(100_000, 'x'));
  }
  connection.startReading();
  expect((await connection.read()).status).toBe(400);
  expect(await connection.ended).toBe('closed');
});

test('gives the place of a broken body back at once', async () => {
  const admission = running.server.services.get('imagenet')?.admission;
  using connection = await openConnection(port);
  await connection.send(`${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n`);
  expect((await connection.read()).status).toBe(400);
  await expect.poll(() => admission?.openRequests).toBe(0);
  expect(admission?.heldBytes).toBe(0);
});

test('closes connections beyond http.maxConnections and serves the others', async () => {
  await using crowded = await startTestServer({ ...noModels, 'http.max-connections': '8' });
  using open = new DisposableStack();
  const connections: RawConnection[] = [];
  for (let place = 0; place < 9; place++) {
    connections.push(open.use(await openConnection(crowded.server.servicePort)));
  }
  expect(await connections[8]?.ended).toBe('closed');
  await connections[0]?.send(buildRequest({ body: '{}' }));
  expect((await connections[0]?.read())?.masked).toContain('336100');
  const metrics = await (await fetch(`${crowded.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/^edge_infer_\w*connections\w* 1$/m);
});
