import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildRequest, exchange, openConnection } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024 + 64 * 1024;
const MAX_BASE64_CHARACTERS = 4 * 1024 * 1024;

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({ workers: '1' });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

afterEach(async () => {
  const admission = running.server.services.get('imagenet')?.admission;
  await expect.poll(() => admission?.openRequests).toBe(0);
  expect(admission?.heldBytes).toBe(0);
});

const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;
const tooLong = (received: string) =>
  `{"error_code":336004,"error_msg":"输入文件大小不合法","log_id":ID,"error_detail":"the body: expected at most 8454144 bytes, received ${received}"}`;

/** A request that would be classified, made `byteLength` bytes long by an unknown key. */
function padBody(byteLength: number): Buffer {
  const image = createBmp(16, 16).toString('base64');
  const rest = `{"top_num":1,"image":"${image}","padding":""}`;
  const padding = 'p'.repeat(byteLength - rest.length);
  return Buffer.from(rest.replace('"padding":""', `"padding":"${padding}"`));
}

/** `body` in chunks of 64 KiB. */
function chunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += 65_536) {
    const piece = body.subarray(at, at + 65_536);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

const chunked = ['Transfer-Encoding: chunked'];

describe('a body of exactly 8 MiB + 64 KiB is read', () => {
  test('with its length announced', async () => {
    const answer = await exchange(port, { body: padBody(MAX_BODY_BYTES) });
    expect(answer.masked).toMatch(classified);
  });

  test('in chunks', async () => {
    const body = chunk(padBody(MAX_BODY_BYTES));
    expect((await exchange(port, { headers: chunked, body })).masked).toMatch(classified);
  });
});

describe('a body one byte longer is refused, and the answer can be read', () => {
  const body = padBody(MAX_BODY_BYTES + 1);
  const announced = buildRequest({ body });
  const inChunks = buildRequest({ headers: chunked, body: chunk(body) });

  test('with its length announced, before any of it was sent', async () => {
    using connection = await openConnection(port);
    await connection.send(announced.subarray(0, announced.indexOf('\r\n\r\n') + 4));
    const answer = await connection.read();
    expect(answer.masked).toBe(tooLong('an announcement of 8454145'));
    expect(answer.headers.get('connection')).toBe('close');
    expect(await connection.ended).toBe('closed');
  });

  test.each([
    ['with its length announced', announced, 'an announcement of 8454145'],
    ['in chunks', inChunks, 'more than that'],
  ])('%s, by a caller who sends it all before reading', async (_name, request, received) => {
    using connection = await openConnection(port, { reads: 'later' });
    await connection.send(request);
    connection.startReading();
    expect((await connection.read()).masked).toBe(tooLong(received));
    expect(await connection.ended).toBe('closed');
  });

  test('in chunks that never end', async () => {
    using connection = await openConnection(port);
    await connection.send(inChunks.subarray(0, -5));
    expect((await connection.read()).masked).toBe(tooLong('more than that'));
    expect(await connection.ended).toBe('closed');
  });
});

test('a body announced as 1 GB costs nothing and is refused at once', async () => {
  using connection = await openConnection(port);
  await connection.send(
    buildRequest({ headers: ['Content-Length: 1000000000'], body: '{"image"' }),
  );
  expect((await connection.read()).masked).toBe(tooLong('an announcement of 1000000000'));
  expect(await connection.ended).toBe('closed');
});

test('a body announced as 1 GB to a path that does not exist is not waited for', async () => {
  using connection = await openConnection(port);
  const headers = ['Content-Length: 1000000000'];
  await connection.send(buildRequest({ path: '/nobody', headers, body: 'x' }));
  const answer = await connection.read();
  expect(answer.status).toBe(404);
  expect(await connection.ended).toBe('closed');
});

describe('4 MiB of base64', () => {
  /** Base64 of an image with bytes after its pixels, `characters` long. */
  function padImage(characters: number): string {
    const image = createBmp(16, 16);
    return Buffer.concat([image, Buffer.alloc((characters / 4) * 3 - image.length)]).toString(
      'base64',
    );
  }
  const post = (image: string) => ({ body: `{"image":"${image}","top_num":1}` });

  test('is classified', async () => {
    const image = padImage(MAX_BASE64_CHARACTERS);
    expect(image).toHaveLength(MAX_BASE64_CHARACTERS);
    expect((await exchange(port, post(image))).masked).toMatch(classified);
  });

  test('is classified with line breaks, which do not count', async () => {
    const image = padImage(MAX_BASE64_CHARACTERS).replace(/.{76}/g, '$&\\r\\n');
    expect((await exchange(port, post(image))).masked).toMatch(classified);
  });

  test('is classified with every slash escaped', async () => {
    const image = Buffer.concat([createBmp(16, 16), Buffer.alloc(3_144_894, 0xff)])
      .toString('base64')
      .replaceAll('/', '\\/');
    expect(image.length).toBeGreaterThan(8_380_000);
    expect((await exchange(port, post(image))).masked).toMatch(classified);
  });

  test('and one quartet more is 336004', async () => {
    const image = padImage(MAX_BASE64_CHARACTERS + 4);
    const refused =
      '{"error_code":336004,"error_msg":"输入文件大小不合法","log_id":ID,"error_detail":"image: expected at most 4194304 base64 characters, received 4194308"}';
    expect((await exchange(port, post(image))).masked).toBe(refused);
    const wrapped = image.replace(/.{76}/g, '$&\\n');
    expect((await exchange(port, post(wrapped))).masked).toBe(refused);
  });
});
