import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../models/efficientnet-lite0/manifest.json' with { type: 'json' };
import { packageRoot, startTestServer, type TestServer } from '../support/server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startTestServer();
});
afterAll(() => running[Symbol.asyncDispose]());

test.each(manifest.golden.examples)('classifies $image as training did', async ({ image, top }) => {
  const photo = await readFile(join(packageRoot, 'models/efficientnet-lite0', image));
  const response = await fetch(`${running.url}/imagenet/ImageClassification`, {
    method: 'POST',
    body: JSON.stringify({ image: photo.toString('base64'), top_num: 5 }),
  });
  expect(response.status).toBe(200);
  const { results } = (await response.json()) as { results: { name: string; score: number }[] };
  expect(results.map(({ name }) => name)).toEqual(top.map(({ name }) => name));
  for (const [place, { score }] of results.entries()) {
    expect(Math.abs(score - (top[place]?.score ?? Number.NaN))).toBeLessThan(1e-4);
  }
});

test.each(manifest.golden.examples)(
  'crops $image to the pixels that training saw',
  async ({ image, cropSha256 }) => {
    const photo = await readFile(join(packageRoot, 'models/efficientnet-lite0', image));
    const service = running.server.services.get('imagenet');
    const reply = await service?.classifyImage(Uint8Array.from(photo), 1);
    expect(reply?.cropSha256).toBe(cropSha256);
  },
);
