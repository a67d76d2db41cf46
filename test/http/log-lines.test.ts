import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogIdSource } from '../../src/core/log-id.ts';
import { buildRequest, exchange, openConnection, type RequestParts } from '../support/raw-http.ts';
import { createBmp } from './support/tiny-images.ts';
import { startWatchedServer, type WatchedServer } from './support/watched-server.ts';

let running: WatchedServer;
let port: number;
beforeAll(async () => {
  running = await startWatchedServer({ workers: '1' });
  await running.server.loaded;
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

const image = createBmp(20, 20).toString('base64');
const ok = { body: JSON.stringify({ image, top_num: 1 }) };

const logIdOf = (body: Buffer) => /"log_id":(\d+)/.exec(body.toString())?.[1];
const linesOf = (logId: string | undefined) => running.log.filter((line) => line.log_id === logId);

const requests: Record<string, [RequestParts | Buffer, code: number]> = {
  'an image': [ok, 0],
  'a refused image': [{ body: '{"image":"AAAA"}' }, 336005],
  'a wrong method': [{ method: 'GET' }, 336001],
  'an unknown deploy name': [{ path: '/nobody/ImageClassification' }, 3],
  'an unknown path': [{ path: '/' }, 3],
  'what is not HTTP': [Buffer.from('nonsense\r\n\r\n'), 336001],
  'an expectation that cannot be met': [{ headers: ['Expect: a pony'] }, 336001],
};

test.each(Object.entries(requests))(
  'logs %s once, under the log_id sent',
  async (_name, [request, code]) => {
    const { body } = await exchange(port, request);
    const lines = linesOf(logIdOf(body));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ msg: 'request', code });
  },
);

test('logs sizes, device and stages of a classified image, and never the image', async () => {
  const { body } = await exchange(port, ok);
  const [line] = linesOf(logIdOf(body));
  expect(line).toMatchObject({
    service: 'imagenet',
    device: 'cpu',
    bytes: ok.body.length,
    image: { format: 'bmp', width: 20, height: 20 },
    stages_ms: {
      receive: expect.any(Number),
      wait: expect.any(Number),
      run: expect.any(Number),
    },
  });
  expect(JSON.stringify(running.log)).not.toContain(image.slice(80, 120));
});

test('logs a caller who hung up, without an answer and without an error', async () => {
  const connection = await openConnection(port);
  await connection.send(buildRequest(ok).subarray(0, -10));
  const isHangUp = (line: object) =>
    'detail' in line && String(line.detail).startsWith('the body broke off');
  connection.hangUp();
  await expect.poll(() => running.log.filter(isHangUp)).toHaveLength(1);
  expect(running.log.filter(({ level }) => level >= 50)).toEqual([]);
});

test('log_ids have 19 digits, fit a signed 64-bit integer and never repeat', () => {
  const seen = new Set<bigint>();
  for (let process = 0; process < 10; process++) {
    const next = createLogIdSource();
    for (let request = 0; request < 1000; request++) {
      seen.add(next());
    }
  }
  expect(seen.size).toBe(10_000);
  for (const logId of seen) {
    expect(logId.toString()).toHaveLength(19);
    expect(BigInt.asIntN(64, logId)).toBe(logId);
  }
});
