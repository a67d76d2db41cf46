import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  classifier,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { classify, post } from './classify.ts';
import { temporaryFolder } from './temporary-folder.ts';

// The development installation has the CPU's execution provider only.
const folder = await temporaryFolder();
let running: TestServer;
beforeAll(async () => {
  const model = await writeClassifier(join(folder, 'model'), classifier());
  running = await startTestServer({
    ...serveFlags({ auto: model, cpu: model, cuda: model }),
    'services.0.device': 'auto',
    'services.1.device': 'cpu',
    'services.2.device': 'cuda',
    'state-dir': unpreparedStateDir,
  });
});
afterAll(() => running[Symbol.asyncDispose]());

function statusOf(deployName: string) {
  return running.server.services.get(deployName)?.status();
}

test('cuda without a usable GPU is not ready, says why, and never falls back', async () => {
  expect(statusOf('cuda')).toMatchObject({
    state: 'failed',
    problems: [expect.stringContaining('CUDA is not available')],
  });
  expect(statusOf('cuda')?.session).toBeUndefined();
  const response = await post(running.url, 'cuda', oneColourBmp([1, 2, 3]));
  expect(response.headers.get('Retry-After')).toBe('60');
  expect(await response.json()).toMatchObject({ error_code: 336100 });
  expect((await fetch(`${running.adminUrl}/readyz`)).status).toBe(503);
});

test('auto takes the CPU and says what CUDA lacked', async () => {
  expect(statusOf('auto')?.session).toMatchObject({
    device: 'cpu',
    deviceReason: expect.stringContaining('CUDA is not available'),
  });
  const answer = await classify(running.url, 'auto', oneColourBmp([200, 100, 50]));
  expect(answer.results?.[0]?.name).toBe('class 0');
});

test('cpu is what the configuration asked for', () => {
  expect(statusOf('cpu')?.session).toMatchObject({
    device: 'cpu',
    deviceReason: 'the configuration asks for the CPU',
  });
});
