import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange, type RequestParts } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

/** A request that meets one fault, and what the wire carries for it, byte for byte. */
interface Row {
  readonly request: RequestParts;
  readonly code: number;
  readonly message: string;
  readonly detail: string;
  readonly semanticStatus: number;
}

const bmp16 = createBmp(16, 16).toString('base64');
const post = (image: unknown, more: object = {}): RequestParts => ({
  body: JSON.stringify({ image, ...more }),
});

const rows: Record<string, Row> = {
  'a wrong method': {
    request: { method: 'PUT', body: '{}' },
    code: 336001,
    message: 'Invalid Argument',
    detail: 'the method: expected POST, received PUT',
    semanticStatus: 405,
  },
  'a body that is not an object': {
    request: { body: '["image"]' },
    code: 336001,
    message: 'Invalid Argument',
    detail: 'the body: expected a JSON object, received an array',
    semanticStatus: 400,
  },
  'an image of the wrong type': {
    request: post(5),
    code: 336001,
    message: 'Invalid Argument',
    detail: 'image: expected a base64 string, received a number',
    semanticStatus: 400,
  },
  'a bad top_num': {
    request: post(bmp16, { top_num: 0 }),
    code: 336001,
    message: 'Invalid Argument',
    detail: 'top_num: expected a whole number >= 1, received 0',
    semanticStatus: 400,
  },
  'a body that is not JSON': {
    request: { body: `image=${bmp16}` },
    code: 336002,
    message: 'JSON不合法',
    detail: 'the body is not JSON: expected a JSON object such as {"image":"<base64>","top_num":5}',
    semanticStatus: 400,
  },
  'an image that is not base64': {
    request: post('data:image/bmp;base64,AAAA'),
    code: 336003,
    message: 'Base64解码失败',
    detail:
      'image: expected base64 with the alphabet A-Z a-z 0-9 + / and = padding, received a "data:" header; send only what follows its comma',
    semanticStatus: 400,
  },
  'a body announced too long': {
    request: { headers: ['Content-Length: 8454145'] },
    code: 336004,
    message: '输入文件大小不合法',
    detail: 'the body: expected at most 8454144 bytes, received an announcement of 8454145',
    semanticStatus: 413,
  },
  'a side too short': {
    request: post(createBmp(14, 15).toString('base64')),
    code: 336004,
    message: '输入文件大小不合法',
    detail:
      'expected a shortest side of at least 15 and a longest side of at most 4096 pixels, found 14x15',
    semanticStatus: 413,
  },
  'bytes that are no image': {
    request: post('AAAA'),
    code: 336005,
    message: '图片解码失败',
    detail: 'expected a JPEG, PNG or BMP image, found none of their signatures',
    semanticStatus: 400,
  },
  'no image': {
    request: { body: '{}' },
    code: 336006,
    message: '缺失必要参数',
    detail: 'image: expected base64 of a JPEG, PNG or BMP, received no such field',
    semanticStatus: 400,
  },
};

const encode = ({ code, message, detail }: Row) =>
  `{"error_code":${code},"error_msg":"${message}","log_id":ID,"error_detail":${JSON.stringify(detail)}}`;

describe.each([
  { statusCodes: 'compatible', expectedStatus: () => 200 },
  { statusCodes: 'semantic', expectedStatus: (row: Row) => row.semanticStatus },
])('with http.statusCodes $statusCodes', ({ statusCodes, expectedStatus }) => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer({ 'http.status-codes': statusCodes, workers: '1' });
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test.each(Object.entries(rows))('answers %s', async (_name, row) => {
    const answer = await exchange(running.server.servicePort, row.request);
    expect(answer.masked).toBe(encode(row));
    expect(answer.status).toBe(expectedStatus(row));
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('allow')).toBe(row.semanticStatus === 405 ? 'POST' : undefined);
    expect(answer.headers.has('retry-after')).toBe(false);
  });

  test('answers an unknown deploy name with code 3 and status 404 always', async () => {
    const request = { path: '/nobody/ImageClassification', body: '{}' };
    const answer = await exchange(running.server.servicePort, request);
    expect(answer.masked).toBe(
      '{"error_code":3,"error_msg":"Unsupported openapi method","log_id":ID,"error_detail":"no service has this deploy name"}',
    );
    expect(answer.statusLine).toBe('HTTP/1.1 404 Not Found');
  });

  test('answers an image with 200', async () => {
    const { port } = new URL(running.url);
    const answer = await exchange(Number(port), post(bmp16, { top_num: 1 }));
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK');
    expect(answer.masked).toMatch(
      /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/,
    );
  });
});

test('sends only the texts of the contract with http.errorDetail code', async () => {
  await using running = await startTestServer({ 'http.error-detail': 'code', workers: '1' });
  for (const { request, code, message } of Object.values(rows)) {
    const { masked } = await exchange(running.server.servicePort, request);
    expect(masked).toBe(`{"error_code":${code},"error_msg":"${message}","log_id":ID}`);
  }
  const notHttp = await exchange(running.server.servicePort, Buffer.from('nonsense\r\n\r\n'));
  expect(notHttp.masked).toBe('{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID}');
});
