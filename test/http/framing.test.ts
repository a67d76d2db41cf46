import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildRequest, imagenetPath, openConnection } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({ workers: '2' });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;
const image = createBmp(20, 20).toString('base64');
const body = JSON.stringify({ image, top_num: 1 });

test('classifies a request that comes a byte at a time', async () => {
  using connection = await openConnection(port);
  for (const byte of buildRequest({ body })) {
    await connection.send(Uint8Array.of(byte));
  }
  expect((await connection.read()).masked).toMatch(classified);
});

test('classifies a body in chunks of any size, with extensions and trailers', async () => {
  using connection = await openConnection(port);
  await connection.send(buildRequest({ headers: ['Transfer-Encoding: chunked'] }));
  const sizes = [1, 2, 3, 500];
  let rest = body;
  for (let round = 0; rest !== ''; round++) {
    const piece = rest.slice(0, sizes[round % sizes.length]);
    rest = rest.slice(piece.length);
    await connection.send(`${piece.length.toString(16)};name=value\r\n${piece}\r\n`);
  }
  await connection.send('0\r\nX-Trailer: 1\r\n\r\n');
  expect((await connection.read()).masked).toMatch(classified);
});

test('keeps a connection through answers, refusals and unknown paths', async () => {
  using connection = await openConnection(port);
  const requests = [
    { body },
    { body: '{"image":' },
    { path: '/nobody', body },
    { method: 'DELETE', body },
    {
      headers: ['Transfer-Encoding: chunked'],
      body: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    },
    { body: '' },
    { body },
  ];
  const answers: string[] = [];
  for (const request of requests) {
    await connection.send(buildRequest(request));
    const answer = await connection.read();
    expect(answer.headers.get('connection')).toBe('keep-alive');
    answers.push(/"error_code":\d+/.exec(answer.masked)?.[0] ?? 'results');
  }
  expect(answers).toEqual([
    'results',
    '"error_code":336002',
    '"error_code":3',
    '"error_code":336001',
    'results',
    '"error_code":336002',
    'results',
  ]);
});

test('answers pipelined requests in their order, whichever is ready first', async () => {
  using connection = await openConnection(port);
  const large = JSON.stringify({ image: createBmp(1500, 600).toString('base64'), top_num: 2 });
  await connection.send(
    Buffer.concat([
      buildRequest({ body: large }),
      buildRequest({ body: '{}' }),
      buildRequest({ body: JSON.stringify({ image, top_num: 3 }) }),
      buildRequest({ path: '/nobody' }),
    ]),
  );
  const counts = [];
  for (let place = 0; place < 4; place++) {
    const { masked } = await connection.read();
    counts.push(/"error_code":\d+/.exec(masked)?.[0] ?? masked.split('"name":"').length - 1);
  }
  expect(counts).toEqual([2, '"error_code":336006', 3, '"error_code":3']);
});

test.each([
  ['nonsense', Buffer.from('nonsense\r\n\r\n')],
  [
    'broken chunk',
    buildRequest({ headers: ['Transfer-Encoding: chunked'], body: '1\r\n{\r\nzz\r\n' }),
  ],
])('answers a good request before the %s that follows it', async (_name, broken) => {
  using connection = await openConnection(port);
  await connection.send(Buffer.concat([buildRequest({ body }), broken]));
  for (let round = 0; round < 20; round++) {
    await connection.send('more of it\r\n');
  }
  expect((await connection.read()).masked).toMatch(classified);
  expect((await connection.read()).statusLine).toBe('HTTP/1.1 400 Bad Request');
  expect(await connection.ended).toBe('closed');
});

test('answers a good request before the body too long that follows it', async () => {
  using connection = await openConnection(port);
  const tooLong = buildRequest({ headers: ['Content-Length: 9000000'], body: 'x' });
  await connection.send(Buffer.concat([buildRequest({ body }), tooLong]));
  expect((await connection.read()).masked).toMatch(classified);
  expect((await connection.read()).masked).toContain('"error_code":336004,');
  expect(await connection.ended).toBe('closed');
});

test('closes when the caller asks for it', async () => {
  using connection = await openConnection(port);
  await connection.send(buildRequest({ headers: ['Connection: close'], body }));
  const answer = await connection.read();
  expect(answer.masked).toMatch(classified);
  expect(answer.headers.get('connection')).toBe('close');
  expect(await connection.ended).toBe('closed');
});

test.each([
  ['an unknown path', { path: '/nobody' }],
  ['a wrong method', { method: 'PUT' }],
])('a caller who closes and sends 4 MB to %s can read why', async (_name, parts) => {
  using connection = await openConnection(port, { reads: 'later' });
  const headers = ['Connection: close'];
  await connection.send(buildRequest({ ...parts, headers, body: 'x'.repeat(4_000_000) }));
  connection.startReading();
  expect((await connection.read()).masked).toMatch(/^\{"error_code":(3|336001),/);
  expect(await connection.ended).toBe('closed');
});

test('ignores empty lines before a request', async () => {
  using connection = await openConnection(port);
  await connection.send(Buffer.concat([Buffer.from('\r\n\r\n'), buildRequest({ body })]));
  expect((await connection.read()).masked).toMatch(classified);
});

test('takes the bytes after the announced length for the next request', async () => {
  using connection = await openConnection(port);
  const headers = [`Content-Length: ${body.length}`];
  await connection.send(
    buildRequest({ headers, body: `${body}POST ${imagenetPath} HTTP/1.1\r\n` }),
  );
  expect((await connection.read()).masked).toMatch(classified);
  await connection.send('Content-Length: 2\r\n\r\n{}');
  expect((await connection.read()).masked).toContain('336006');
});
