import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildRequest, exchange, imagenetPath, openConnection } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({ workers: '1' });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

const body = JSON.stringify({ image: createBmp(20, 20).toString('base64'), top_num: 1 });
const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;

describe('classifies whatever the request says of itself:', () => {
  test.each([
    ['no content type', []],
    ['a form', ['Content-Type: application/x-www-form-urlencoded']],
    ['JSON with a charset', ['Content-Type: application/json; charset=GBK']],
    ['a content type that is none', ['Content-Type: ;;;']],
    ['a multipart form', ['Content-Type: multipart/form-data; boundary=x']],
    ['a content encoding that is none', ['Content-Encoding: UTF8']],
    ['a content encoding that is not true', ['Content-Encoding: gzip']],
    ['another host', ['Host: api.example.com']],
    ['a host without a port', ['Host: localhost']],
    ['an empty host', ['Host:']],
    [
      'a cloud signature',
      ['Authorization: bce-auth-v1/ak/2026-01-01T00:00:00Z/1800/host/00', 'x-bce-date: x'],
    ],
    ['an answer type that is not ours', ['Accept: text/xml', 'Accept-Encoding: gzip, br']],
    [
      'a wish for HTTP/2',
      [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      ],
    ],
    ['a wish for a web socket', ['Connection: Upgrade', 'Upgrade: websocket']],
    ['cookies', ['Cookie: a=b; ;;=']],
  ])('%s', async (_name, headers) => {
    const answer = await exchange(port, { headers, body });
    expect(answer.masked).toMatch(classified);
    expect(answer.headers.has('content-encoding')).toBe(false);
  });

  test('no host', async () => {
    const request = `POST ${imagenetPath} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect((await exchange(port, Buffer.from(request))).masked).toMatch(classified);
  });

  test('HTTP/1.0, whose connection it then closes', async () => {
    using connection = await openConnection(port);
    await connection.send(
      `POST ${imagenetPath} HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect((await connection.read()).masked).toMatch(classified);
    expect(await connection.ended).toBe('closed');
  });

  test('HTTP/1.0 that keeps its connection', async () => {
    using connection = await openConnection(port);
    for (let round = 0; round < 2; round++) {
      await connection.send(
        `POST ${imagenetPath} HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect((await connection.read()).headers.get('connection')).toBe('keep-alive');
    }
  });
});

describe('Expect: 100-continue', () => {
  test('is answered before the body is sent', async () => {
    using connection = await openConnection(port);
    const request = buildRequest({ headers: ['Expect: 100-continue'], body });
    await connection.send(request.subarray(0, -body.length));
    expect((await connection.read()).statusLine).toBe('HTTP/1.1 100 Continue');
    await connection.send(body);
    expect((await connection.read()).masked).toMatch(classified);
  });

  test('is not answered when a body too long is announced, which is refused at once', async () => {
    using connection = await openConnection(port);
    const headers = ['Expect: 100-continue', 'Content-Length: 1000000000'];
    await connection.send(buildRequest({ headers }));
    const answer = await connection.read();
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK');
    expect(answer.masked).toBe(
      '{"error_code":336004,"error_msg":"输入文件大小不合法","log_id":ID,"error_detail":"the body: expected at most 8454144 bytes, received an announcement of 1000000000"}',
    );
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.ended).toBe('closed');
  });

  test('of anything else is 417, with JSON and a clean end', async () => {
    using connection = await openConnection(port);
    await connection.send(buildRequest({ headers: ['Expect: 200-ok'], body }));
    const answer = await connection.read();
    expect(answer.statusLine).toBe('HTTP/1.1 417 Expectation Failed');
    expect(answer.masked).toBe(
      '{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":"expected \\"Expect: 100-continue\\" or none, received another"}',
    );
    connection.finishSending();
    expect(await connection.ended).toBe('closed');
  });
});
