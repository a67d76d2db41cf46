import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { ok } from '../../src/core/result.ts';
import { createBmp } from '../http/support/tiny-images.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { startTestServer } from '../support/server.ts';
import {
  bareMetal,
  claimsFor,
  createTestHost,
  putLicense,
  takeLicense,
  writeLicense,
} from './license-fixture.ts';

const host = createTestHost();
const running = await startTestServer({}, host.openSources);
afterAll(() => running[Symbol.asyncDispose]());
const { url, adminUrl, config } = running;
const { dir } = config.license;
const body = JSON.stringify({
  image: Buffer.from(createBmp(32, 32)).toString('base64'),
  top_num: 1,
});

async function classify() {
  const response = await fetch(`${url}/imagenet/ImageClassification`, { method: 'POST', body });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

async function readReady(from: string) {
  const response = await fetch(`${from}/readyz`);
  const { services } = (await response.json()) as { services: { license: object }[] };
  return { status: response.status, license: services[0]?.license };
}

/** Waits until the service's licence is in a state; longer than two seconds is too long. */
async function reach(state: string): Promise<void> {
  await vi.waitFor(
    async () => expect((await readReady(adminUrl)).license).toMatchObject({ state }),
    { timeout: 2_000, interval: 20 },
  );
}

async function readMetrics(): Promise<string[]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith('edge_infer_license'));
}

test('without a licence every caller is told the state and the way out', async () => {
  const { status, answer } = await classify();
  expect(status).toBe(200);
  expect(answer).toMatchObject({
    error_code: 337000,
    error_msg: 'Auth check failed',
    error_detail: expect.stringMatching(
      /^license NOT_FOUND: there is no licence for imagenet on this host\. Write a request with "edge-infer license request"/,
    ) as string,
  });
});

test('readiness, in brief and in full, and metrics name the same state', async () => {
  for (const from of [url, adminUrl]) {
    expect(await readReady(from)).toMatchObject({
      status: 503,
      license: { state: 'NOT_FOUND', remedy: expect.stringContaining('license install') as string },
    });
  }
  expect(await readMetrics()).toEqual([
    'edge_infer_license_state{service="imagenet",state="NOT_FOUND"} 1',
  ]);
});

test('a trial is replaced by a permanent licence under load: nothing fails, and it counts within 2 s', async () => {
  const CALLERS = 32;
  await putLicense(dir, 'trial.lic', writeLicense(claimsFor(bareMetal)));
  await reach('TRIAL');
  const failures: unknown[] = [];
  let completed = 0;
  let isOver = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!isOver) {
      const { answer } = await classify();
      completed++;
      if (!('results' in answer)) {
        failures.push(answer);
      }
    }
  });
  await vi.waitUntil(() => completed >= 500, { timeout: 60_000 });
  const swappedMs = performance.now();
  await putLicense(dir, 'permanent.lic', writeLicense(claimsFor(bareMetal, { kind: 'permanent' })));
  await reach('VALID');
  const effectiveMs = performance.now() - swappedMs;
  await takeLicense(dir, 'trial.lic');
  const after = completed;
  await vi.waitUntil(() => completed >= after + 500, { timeout: 60_000 });
  isOver = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
  expect(completed).toBeGreaterThanOrEqual(1_000);
  expect(effectiveMs).toBeLessThan(2_000);
}, 120_000);

test('a request that is being received when the licence ends is still answered', async () => {
  const rest = Promise.withResolvers<void>();
  const bytes = Buffer.from(body);
  const late = fetch(`${url}/imagenet/ImageClassification`, {
    method: 'POST',
    duplex: 'half',
    body: (async function* () {
      yield bytes.subarray(0, 10);
      await rest.promise;
      yield bytes.subarray(10);
    })(),
  } as RequestInit & { duplex: 'half' });
  await delay(200); // its headers are in
  await takeLicense(dir, 'permanent.lic');
  await reach('NOT_FOUND');
  rest.resolve();
  expect(await (await late).json()).toHaveProperty('results');
  expect((await classify()).answer).toMatchObject({ error_code: 337000 });
});

test('a trial that ends is refused in the middle of service, and its metrics count the seconds', async () => {
  await putLicense(dir, 'trial.lic', writeLicense(claimsFor(bareMetal)));
  await reach('TRIAL');
  expect((await classify()).answer).toHaveProperty('results');
  expect((await readReady(url)).status).toBe(200);
  expect(await readMetrics()).toEqual([
    'edge_infer_license_state{service="imagenet",state="TRIAL"} 1',
    `edge_infer_license_expiry_seconds{service="imagenet"} ${30 * 86_400}`,
  ]);
  host.nowMs += 30 * 86_400_000;
  host.upMs += 30 * 86_400_000;
  await reach('EXPIRED');
  expect((await classify()).answer).toMatchObject({ error_code: 337000 });
});

test('the same file on another host is refused, and says how much of the hardware matches', async () => {
  host.facts = await readRecordedHost('kvm');
  await putLicense(dir, 'permanent.lic', writeLicense(claimsFor(bareMetal, { kind: 'permanent' })));
  await running.server.reload(ok(running.server.config));
  await reach('HARDWARE_MISMATCH');
  expect((await classify()).answer).toMatchObject({
    error_code: 337000,
    error_detail: expect.stringMatching(
      /^license HARDWARE_MISMATCH: .+ \(matching 0 of 11, needed 6\)/,
    ) as string,
  });
});
