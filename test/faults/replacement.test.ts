import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { classify } from '../models/classify.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  classifier,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer } from '../support/server.ts';

const threads: Worker[] = [];
const remember = (worker: Worker) => threads.push(worker);
process.on('worker', remember);
afterAll(() => process.off('worker', remember));

const image = oneColourBmp([1, 2, 3]);

test('a replacement that cannot load gets no requests, is told of, and recovers', async () => {
  const folder = await writeClassifier(join(await temporaryFolder(), 'm'), classifier());
  await using running = await startTestServer({
    ...serveFlags({ m: folder }),
    'services.0.workers': '2',
    'state-dir': unpreparedStateDir,
  });
  const status = () => running.server.services.get('m')?.status();
  const model = join(folder, 'model.onnx');
  await rename(model, `${model}.away`);
  await threads.at(-1)?.terminate();
  await expect
    .poll(() => status()?.problems, { timeout: 20_000 })
    .toEqual([expect.stringMatching(/^a replaced worker cannot load the model: model\.onnx: /)]);
  expect(status()?.state).toBe('ready'); // the other worker answers
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => classify(running.url, 'm', image, 1)),
  );
  expect(answers).toEqual(Array(8).fill(expect.objectContaining({ results: [expect.anything()] })));
  const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/^edge_infer_worker_restarts_total\{service="m"\} 1$/m);

  await rename(`${model}.away`, model);
  await expect.poll(() => status()?.problems, { timeout: 20_000 }).toEqual([]);
});
