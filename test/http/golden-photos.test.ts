import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../models/efficientnet-lite0/manifest.json' with { type: 'json' };
import { readCpuFeatures } from '../../src/platform/cpu-features.ts';
import { packageRoot, startTestServer, type TestServer } from '../support/server.ts';

const { int8 } = manifest.variants;
const features = await readCpuFeatures();
const canRunInt8 = int8.needs.anyCpuFeature.some((feature) => features.includes(feature));
const modelFolder = join(packageRoot, 'models/efficientnet-lite0');

// Tolerances of the requests are below those of the manifest, which allow for other processors.
describe.each([
  { name: 'float32', golden: manifest.golden, tolerance: 1e-4, skip: false },
  { name: 'int8', golden: int8.golden, tolerance: 1e-3, skip: !canRunInt8 },
])('$name', ({ name, golden, tolerance, skip }) => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer({ variant: name });
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test.skipIf(skip).each(golden.examples)('classifies $image as it should', async (example) => {
    const { image, top } = example;
    const photo = await readFile(join(modelFolder, image));
    const response = await fetch(`${running.url}/imagenet/ImageClassification`, {
      method: 'POST',
      body: JSON.stringify({ image: photo.toString('base64'), top_num: top.length }),
    });
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as { results: { name: string; score: number }[] };
    expect(results.map((result) => result.name)).toEqual(top.map((expected) => expected.name));
    for (const [place, { score }] of results.entries()) {
      expect(Math.abs(score - (top[place]?.score ?? Number.NaN))).toBeLessThan(tolerance);
    }
  });

  test.skipIf(skip).each(golden.examples)(
    'crops $image to the pixels that training saw',
    async ({ image, cropSha256 }) => {
      const photo = await readFile(join(modelFolder, image));
      const service = running.server.services.get('imagenet');
      const reply = await service?.classifyImage(Uint8Array.from(photo), 1);
      expect(reply?.cropSha256).toBe(cropSha256);
    },
  );

  test.runIf(skip)('is not served on a CPU without what it needs', () => {
    expect(running.server.services.get('imagenet')?.status()).toMatchObject({
      state: 'failed',
      problems: [expect.stringContaining(int8.needs.anyCpuFeature.join(' or '))],
    });
  });
});
