import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startTestServer({ workers: '1' });
});
afterAll(() => running[Symbol.asyncDispose]());

const base64 = (bytes: Buffer) => bytes.toString('base64');
const tooLong = 'A'.repeat(4 * 1024 * 1024 + 1);
const smallAndCut = createBmp(14, 14, 10);
const cut = createBmp(16, 16, 10);

/** Each body has every fault from its line on, so the code tells which was met first. */
const bodies: [firstFault: string, body: string, code: number, detail: RegExp][] = [
  ['JSON', `["image":"${tooLong}!","top_num":0]`, 336002, /not JSON/],
  ['object', `[{"image":"${tooLong}!","top_num":0}]`, 336001, /the body/],
  ['image present', '{"image":" ","top_num":0}', 336006, /image/],
  ['image null', '{"image":null,"top_num":0}', 336006, /null/],
  ['type of the image', '{"image":[],"top_num":0}', 336001, /^image/],
  ['top_num', `{"image":"${tooLong}!","top_num":0}`, 336001, /^top_num/],
  ['size', `{"image":"data:${tooLong}!"}`, 336004, /base64 characters/],
  ['base64', '{"image":"====!"}', 336003, /base64/],
  ['base64 of a format unknown', '{"image":"R0lGODlhAQABAAAA="}', 336003, /multiple of 4/],
  ['format', `{"image":"${base64(Buffer.from('GIF89a\x01\0\x01\0\0\0'))}"}`, 336005, /signatures/],
  ['sides', `{"image":"${base64(smallAndCut)}"}`, 336004, /14x14/],
  ['pixels', `{"image":"${base64(cut)}"}`, 336005, /./],
];

test.each(bodies)('of several faults the first is named: %s', async (_name, body, code, detail) => {
  const answer = await exchange(running.server.servicePort, { body });
  const refused = JSON.parse(answer.masked.replace('ID', '0')) as Record<string, unknown>;
  expect(Object.keys(refused)).toEqual(['error_code', 'error_msg', 'log_id', 'error_detail']);
  expect(refused.error_code).toBe(code);
  expect(refused.error_detail).toMatch(detail);
});

test('an image at the limits of its sides is classified, one beyond is not', async () => {
  const classify = async (width: number, height: number) => {
    const body = JSON.stringify({ image: base64(createBmp(width, height)) });
    const { masked } = await exchange(running.server.servicePort, { body });
    return /"error_code":\d+/.exec(masked)?.[0] ?? 'classified';
  };
  expect(await classify(15, 15)).toBe('classified');
  expect(await classify(4096, 15)).toBe('classified');
  expect(await classify(15, 4096)).toBe('classified');
  expect(await classify(15, 14)).toBe('"error_code":336004');
  expect(await classify(4097, 15)).toBe('"error_code":336004');
  expect(await classify(15, 4097)).toBe('"error_code":336004');
});
