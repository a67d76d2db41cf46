import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noModels } from './support/no-models.ts';

let running: TestServer;
let folder: string;
let port: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-infer-paths-'));
  const config = join(folder, 'edge-infer.yaml');
  const names = ['imagenet', '图像 分类', 'caf\u00e9', '100', 'healthz'];
  const services = names.map((deployName) => ({ deployName, model: 'efficientnet-lite0' }));
  await writeFile(config, JSON.stringify({ services }));
  running = await startTestServer({ ...noModels, config });
  port = running.server.servicePort;
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

// Each service says under its name that it has no model; everything else says 404.
const reached = (deployName: string) =>
  `{"error_code":336100,"error_msg":"model temporarily unavailable","log_id":ID,"error_detail":"service ${deployName} is not ready: `;
const unknown = '{"error_code":3,"error_msg":"Unsupported openapi method","log_id":ID,';

async function post(path: string, method = 'POST') {
  return exchange(port, { method, path, body: '{}' });
}

describe('reaches a service by', () => {
  const name = '图像 分类';
  const chinese = encodeURIComponent(name);
  test.each<[how: string, path: string, deployName?: string]>([
    ['its path', '/imagenet/ImageClassification'],
    ['a path with a slash at its end', '/imagenet/ImageClassification/'],
    ['an empty query', '/imagenet/ImageClassification?'],
    [
      'unknown query parameters',
      '/imagenet/ImageClassification?access_token=24.x&aipSdk=Java&charset=UTF-8',
    ],
    ['a query that is not well-formed', '/imagenet/ImageClassification?a=%zz&&=%'],
    [
      'the address before the path, as through a proxy',
      'http://other:1/imagenet/ImageClassification',
    ],
    ['a percent-encoded ASCII letter', '/%69magenet/ImageClassification'],
    ['a number', '/100/ImageClassification', '100'],
    ['the name of another page', '/healthz/ImageClassification', 'healthz'],
    ['Chinese, percent-encoded', `/${chinese}/ImageClassification`, name],
    ['Chinese, in small hexadecimal digits', `/${chinese.toLowerCase()}/ImageClassification`, name],
    ['a letter composed with its accent', '/caf%C3%A9/ImageClassification', 'caf\u00e9'],
    ['a letter apart from its accent', '/cafe%CC%81/ImageClassification', 'caf\u00e9'],
  ])('%s', async (_name, path, deployName = 'imagenet') => {
    const { masked, status } = await post(path);
    const start = reached(deployName);
    expect(masked.slice(0, start.length)).toBe(start);
    expect(status).toBe(200);
  });
});

describe('answers code 3 and 404 to', () => {
  test.each([
    ['the root', '/'],
    ['a star', '*'],
    ['a name in another case', '/Imagenet/ImageClassification'],
    ['a last segment in another case', '/imagenet/imageclassification'],
    ['another last segment', '/imagenet/ObjectDetection'],
    ['no last segment', '/imagenet'],
    ['a further segment', '/imagenet/ImageClassification/x'],
    ['a double slash at the front', '//imagenet/ImageClassification'],
    ['a double slash inside', '/imagenet//ImageClassification'],
    ['two slashes at the end', '/imagenet/ImageClassification//'],
    ['no name', '/ImageClassification'],
    ['an encoded slash', '/imagenet%2FImageClassification'],
    ['an encoded slash in the name', '/image%2Fnet/ImageClassification'],
    ['a broken percent sign', '/imag%zzenet/ImageClassification'],
    ['a percent sign at the end', '/imagenet%/ImageClassification'],
    ['percent signs that are not UTF-8', '/%ff%fe/ImageClassification'],
    ['a NUL', '/imagenet%00/ImageClassification'],
    ['a dot segment', '/./imagenet/ImageClassification'],
    ['a key of every object', '/__proto__/ImageClassification'],
    ['the metrics of the admin address', '/metrics'],
  ])('%s', async (_name, path) => {
    const { masked, status } = await post(path);
    expect(masked.slice(0, unknown.length)).toBe(unknown);
    expect(status).toBe(404);
  });
});

describe('refuses another method on a right path', () => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s',
    async (method) => {
      const { masked, status, headers } = await post('/imagenet/ImageClassification', method);
      expect(masked).toBe(
        `{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":"the method: expected POST, received ${method}"}`,
      );
      expect(status).toBe(200);
      expect(headers.get('allow')).toBe('POST');
    },
  );

  test('HEAD, with the headers alone', async () => {
    const { statusLine, headers, body } = await post('/imagenet/ImageClassification', 'HEAD');
    expect(statusLine).toBe('HTTP/1.1 200 OK');
    expect(Number(headers.get('content-length'))).toBeGreaterThan(100);
    expect(body).toHaveLength(0);
  });
});

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
  'answers %s on an unknown path with 404',
  async (method) => {
    const { masked, status } = await post('/imagenet/Nothing', method);
    expect(status).toBe(404);
    if (method !== 'HEAD') {
      expect(masked).toBe(
        `${unknown}"error_detail":"expected /{deploy name}/ImageClassification; names and case must match exactly"}`,
      );
    }
  },
);

test('says what a path with raw UTF-8, as curl sends it, should be', async () => {
  const { masked, status } = await post(
    Buffer.from('/图像/ImageClassification').toString('latin1'),
  );
  expect(status).toBe(400);
  expect(masked).toBe(
    '{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":"expected a percent-encoded path, received characters that no URL may hold"}',
  );
});
