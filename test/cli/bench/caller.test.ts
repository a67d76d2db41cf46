import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { buildRequest, openCaller } from '../../../src/cli/bench/caller.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** A server that does as a test says with each connection that sends something. */
async function startServer(onRequest: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => socket.on('data', () => onRequest(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function answer(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function sendSlowly(socket: Socket, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    socket.write(Buffer.of(byte));
    await sleep(0);
  }
}

const good = answer('{"log_id":1,"results":[{"name":"Käse","score":1}]}');
const request = buildRequest('imagenet', new Uint8Array([1, 2, 3]));

describe('a caller', () => {
  test('sends one well-formed request', () => {
    const named = buildRequest('质检 1', new Uint8Array([255])).toString();
    expect(named).toBe(
      'POST /%E8%B4%A8%E6%A3%80%201/ImageClassification HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
        'Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{"image":"/w=="}',
    );
  });

  test('reads an answer that comes byte by byte, and the next on the same connection', async () => {
    let connections = 0;
    const port = await startServer((socket) => void sendSlowly(socket, good));
    server?.on('connection', () => connections++);
    const caller = await openCaller(port, 10_000);
    expect(await caller.call(request)).toEqual({ ok: true });
    expect(await caller.call(request)).toEqual({ ok: true });
    expect(connections).toBe(1);
    caller.close();
  });

  test.each([
    [
      answer('{"error_code":336100,"error_msg":"busy","error_detail":"full"}', '503 No'),
      { reason: 336100, detail: 'full' },
    ],
    [answer('{"error_code":336000,"error_msg":"broken"}'), { reason: 336000, detail: 'broken' }],
    [answer('{"log_id":1,"results":[]}'), { reason: 'no results' }],
    [answer('<html>', '502 Bad Gateway'), { reason: 'no JSON' }],
  ])('tells of a refusal: %j', async (text, expected) => {
    const caller = await openCaller(await startServer((socket) => socket.write(text)), 10_000);
    expect(await caller.call(request)).toMatchObject({ ok: false, ...expected });
    caller.close();
  });

  test('tells when the server hangs up or stays silent, and connects again', async () => {
    const turns = [
      (socket: Socket) => socket.end(good.slice(0, 30)),
      (socket: Socket) => socket.resetAndDestroy(),
      () => undefined,
      (socket: Socket) => socket.write(good),
    ];
    const caller = await openCaller(await startServer((socket) => turns.shift()?.(socket)), 300);
    expect(await caller.call(request)).toMatchObject({ ok: false, reason: 'hung up' });
    expect(await caller.call(request)).toMatchObject({ ok: false, reason: 'hung up' });
    expect(await caller.call(request)).toMatchObject({ ok: false, reason: 'no answer' });
    expect(await caller.call(request)).toEqual({ ok: true });
    caller.close();
  });

  test('tells when there is no server any more', async () => {
    const port = await startServer((socket) => socket.destroy());
    const caller = await openCaller(port, 10_000);
    server?.close();
    expect(await caller.call(request)).toMatchObject({ ok: false, reason: 'hung up' });
    expect(await caller.call(request)).toMatchObject({ ok: false, reason: 'no connection' });
  });
});
