import { rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { classifier, serveFlags, writeClassifier } from '../support/onnx-model.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { classify } from './classify.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { INT8_AGREEMENT, writeTwoVariants } from './two-variants.ts';

const folder = await temporaryFolder();
/** Every host has the feature that is its architecture's name, and none this one. */
const fit = await writeTwoVariants(join(folder, 'fit'), {
  needs: { anyCpuFeature: ['none', arch()] },
});
const unfit = await writeTwoVariants(join(folder, 'unfit'), {
  needs: { anyCpuFeature: ['avx9000'] },
});
const onlyCpu = await writeTwoVariants(join(folder, 'cpu'), { needs: { device: 'cpu' } });
const image = oneColourBmp([1, 2, 3]);

let running: TestServer;
const variants = {
  default: [fit, undefined],
  float32: [fit, 'float32'],
  int8: [fit, 'int8'],
  auto: [fit, 'auto'],
  'auto-unfit': [unfit, 'auto'],
  'int8-unfit': [unfit, 'int8'],
  'int8-on-cuda': [onlyCpu, 'int8'],
  'int8-on-auto': [onlyCpu, 'int8'],
} as const;

beforeAll(async () => {
  const folders = Object.entries(variants).map(([name, [model]]) => [name, model]);
  const flags = Object.values(variants).flatMap(([, variant], index) =>
    variant === undefined ? [] : [[`services.${index}.variant`, variant]],
  );
  running = await startTestServer({
    ...serveFlags(Object.fromEntries(folders)),
    ...Object.fromEntries(flags),
    'services.6.device': 'cuda',
  });
});
afterAll(() => running[Symbol.asyncDispose]());

async function readServices(address: string) {
  const response = await fetch(`${address}/readyz`);
  const { services } = (await response.json()) as {
    services: { deployName: string; modelSha256: string }[];
  };
  return new Map(services.map((service) => [service.deployName, service]));
}

const ASKED = 'the configuration asks for it';

test.each([
  ['default', 'class 0', 'float32', ASKED],
  ['float32', 'class 0', 'float32', ASKED],
  ['int8', 'class 1', 'int8', ASKED],
  ['auto', 'class 1', 'int8', 'auto: this host has what int8 needs'],
  [
    'auto-unfit',
    'class 0',
    'float32',
    'auto passed over int8: expected a CPU with avx9000, found one without',
  ],
])('%s answers %s and says that it is %s, and why', async (service, first, name, reason) => {
  const { results } = await classify(running.url, service, image, 1);
  expect(results?.[0]?.name).toBe(first);
  for (const address of [running.url, running.adminUrl]) {
    expect((await readServices(address)).get(service)).toMatchObject({
      state: 'ready',
      variant: name,
      variantReason: reason,
    });
  }
});

test('the agreement with the reference stands in full only, and only for the variant', async () => {
  const full = await readServices(running.adminUrl);
  expect(full.get('int8')).toMatchObject({ variantAgreement: INT8_AGREEMENT });
  expect(full.get('float32')).not.toHaveProperty('variantAgreement');
  expect((await readServices(running.url)).get('int8')).not.toHaveProperty('variantAgreement');
});

test.each([
  ['int8-unfit', 'variant int8: expected a CPU with avx9000, found one without; set "variant" to'],
  ['int8-on-cuda', 'variant int8: expected device cpu, found device cuda; set "variant" to'],
])('%s is not served, says what to do, and never falls back', async (service, problem) => {
  expect(running.server.services.get(service)?.status()).toMatchObject({
    state: 'failed',
    problems: [expect.stringContaining(problem)],
  });
  const answer = await classify(running.url, service, image);
  expect(answer).toMatchObject({
    error_code: 336100,
    error_detail: expect.stringContaining(problem),
  });
});

test('a variant that needs the CPU is not tried anywhere else, and that is the reason told', () => {
  expect(running.server.services.get('int8-on-auto')?.status().session).toMatchObject({
    device: 'cpu',
    deviceReason: 'variant int8 needs the CPU',
  });
  expect(running.server.services.get('int8')?.status().session).toMatchObject({
    deviceReason: expect.stringContaining('CUDA is not available'),
  });
});

test('the metrics name the variant, with the hash of its own graph', async () => {
  const text = await (await fetch(`${running.adminUrl}/metrics`)).text();
  const services = await readServices(running.adminUrl);
  expect(services.get('int8')?.modelSha256).not.toBe(services.get('float32')?.modelSha256);
  for (const variant of ['float32', 'int8']) {
    const line = `edge_infer_service_info{service="${variant}",model="test-model",model_version="1",model_sha256="${services.get(variant)?.modelSha256}",variant="${variant}",device="cpu",`;
    expect(text).toContain(line);
  }
});

test('a variant that the manifest does not have is named with those that it has', async () => {
  const single = await writeClassifier(join(folder, 'single'), classifier());
  await using server = await startTestServer({ ...serveFlags({ m: single }), variant: 'int8' });
  expect(server.server.services.get('m')?.status().problems).toEqual([
    'variant: expected one that test-model has (float32), found int8; set "variant" to one of these or to auto',
  ]);
});

test('files of a variant that does not run may be missing or damaged', async () => {
  const model = await writeTwoVariants(join(folder, 'partial'), {});
  await rm(join(model, 'int8.onnx'));
  await using float32 = await startTestServer(serveFlags({ m: model }));
  expect((await classify(float32.url, 'm', image, 1)).results?.[0]?.name).toBe('class 0');

  await using int8 = await startTestServer({ ...serveFlags({ m: model }), variant: 'auto' });
  expect(int8.server.services.get('m')?.status().problems).toEqual([
    `${join(model, 'int8.onnx')}: expected this file, found nothing there`,
  ]);
});

test("a variant is held to its own golden examples, not to the reference's", async () => {
  const goldenOf = (name: string) => ({
    scoreTolerance: 0.1,
    examples: [{ image: 'golden.bmp', top: [{ name, score: 0.99 }] }],
  });
  const modelWith = (float32: string, int8: string) =>
    writeTwoVariants(
      join(folder, `golden ${float32} ${int8}`),
      { golden: goldenOf(int8) },
      {
        manifest: (manifest) => ({ ...manifest, golden: goldenOf(float32) }),
        files: { 'golden.bmp': image },
      },
    );
  await using server = await startTestServer({
    ...serveFlags({
      right: await modelWith('class 0', 'class 1'),
      wrong: await modelWith('class 0', 'class 0'),
    }),
    variant: 'int8',
  });
  expect(server.server.services.get('right')?.status().problems).toEqual([]);
  expect(server.server.services.get('wrong')?.status().problems).toEqual([
    expect.stringMatching(/^golden example golden\.bmp: expected "class 0" .* found "class 1"/),
  ]);
});
