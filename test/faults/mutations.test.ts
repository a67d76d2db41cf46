import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from '../../scripts/bench/server-process.ts';
import { createRandom, mutate } from '../support/mutate.ts';
import { packageRoot } from '../support/server.ts';

const MUTATIONS = 1000;
const CALLERS = 4;
const MAX_ANSWER_MS = 5_000;
/** What resident memory may have grown by after thousands of hostile requests. */
const MAX_GROWTH_BYTES = 60 * 1024 * 1024;
const WARM_UP_REQUESTS = 200;

const imageCodes = [undefined, 336004, 336005];
const bodyCodes = [undefined, 336001, 336002, 336003, 336004, 336005, 336006];

const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly milliseconds: number;
}

function post(body: Uint8Array | string): Promise<Answer> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const url = `${server.url}/imagenet/ImageClassification`;
    const sent = request(url, { method: 'POST', agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          milliseconds: performance.now() - startedMs,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends every body from a few callers and checks each answer against the contract. */
async function expectContractAnswers(
  bodies: readonly (Uint8Array | string)[],
  codes: readonly (number | undefined)[],
): Promise<void> {
  const remaining = bodies.entries();
  const call = async () => {
    for (const [index, body] of remaining) {
      const { status, text, milliseconds } = await post(body);
      const answer = JSON.parse(text) as { error_code?: number; results?: unknown[] };
      expect(status, `mutation ${index}`).toBe(200);
      expect(codes, `mutation ${index}: ${text}`).toContain(answer.error_code);
      expect(answer.error_code === undefined, `mutation ${index}`).toBe(
        Array.isArray(answer.results),
      );
      expect(milliseconds, `mutation ${index}`).toBeLessThan(MAX_ANSWER_MS);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
}

const encode = (image: Uint8Array) => JSON.stringify({ image: image.toBase64(), top_num: 3 });

test.each([
  ['JPEG', 'jpeg-420.jpg', 11],
  ['PNG', 'png-2-8-interlaced.png', 12],
  ['BMP', 'bmp-24-101x53.bmp', 13],
])(
  'answers %s files with damage within the contract, in time and memory',
  async (_format, file, seed) => {
    const image = await readFile(join(packageRoot, 'test/fixtures/imaging', file));
    const random = createRandom(seed);
    const bodies = Array.from({ length: MUTATIONS }, () => encode(mutate(image, random)));
    await expectContractAnswers(bodies.slice(0, WARM_UP_REQUESTS), imageCodes);
    const before = await server.readResidentBytes();
    await expectContractAnswers(bodies.slice(WARM_UP_REQUESTS), imageCodes);
    expect((await server.readResidentBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
  },
);

test('answers JSON with damage within the contract, in time and memory', async () => {
  const image = await readFile(join(packageRoot, 'test/fixtures/imaging/jpeg-420.jpg'));
  const valid = Buffer.from(
    `{ "image" : ${JSON.stringify(image.toString('base64'))}, "top_num" : 5 }`,
  );
  const random = createRandom(14);
  const before = await server.readResidentBytes();
  const bodies = Array.from({ length: MUTATIONS }, () => mutate(valid, random));
  await expectContractAnswers(bodies, bodyCodes);
  expect((await server.readResidentBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
});

test('is well afterwards: no place or byte is still held', async () => {
  const readiness = await fetch(`${server.adminUrl}/readyz`);
  expect(readiness.status).toBe(200);
  const { services } = (await readiness.json()) as { services: object[] };
  expect(services).toMatchObject([{ openRequests: 0, waitingRequests: 0, heldBytes: 0 }]);
});
