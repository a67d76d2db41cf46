import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classify } from '../models/classify.ts';
import { load, makeRandomModel } from '../models/load-service.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { collectModelThreads } from '../support/model-threads.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  classifier,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { startTestServer } from '../support/server.ts';

const threads = collectModelThreads();
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

test('what a replacement finds stands in the status, and what the dead worker found does not', async () => {
  const folder = await temporaryFolder();
  const stateDir = join(folder, 'state');
  await using loaded = await load(stateDir, makeRandomModel(folder), { workers: 2 });
  const session = () => loaded.service.status().session;
  const prepared = { ...session() };
  expect(prepared).toMatchObject({ device: 'cpu', isPrepared: true });
  const [first, second] = threads.slice(-2);

  const form = join(stateDir, 'prepared');
  await rename(form, `${form}.away`);
  await second?.terminate();
  await expect.poll(() => session()?.isPrepared, { timeout: 20_000 }).toBe(false);
  expect(session()?.deviceReason).toMatch(
    /^1 of 2 workers: .+; the model's prepared form cannot be loaded, so its own file is used: /,
  );
  expect(loaded.warnings).toEqual([
    expect.stringMatching(
      /^the workers run otherwise than before: device cpu, weights shared by all workers before, device cpu, weights a copy in each worker now \(1 of 2 workers: /,
    ),
  ]);

  // Dead, the worker that found no form counts no more; nor does it where none has taken its place.
  await rename(`${form}.away`, form);
  const [third] = threads.slice(-1);
  expect(third).not.toBe(first);
  await third?.terminate();
  await expect.poll(session, { timeout: 20_000 }).toEqual(prepared);
  expect(loaded.warnings).toHaveLength(2);
  expect(loaded.warnings[1]).toMatch(
    /weights a copy in each worker before.+shared by all workers now/,
  );
});

test('a replacement that dies before it has loaded the model is replaced too', async () => {
  const folder = await writeClassifier(join(await temporaryFolder(), 'm'), classifier());
  await using loaded = await load(unpreparedStateDir, folder);
  const model = join(folder, 'model.onnx');
  await rename(model, `${model}.away`);
  await threads.at(-1)?.terminate();
  const state = () => loaded.service.status().state;
  await expect.poll(state, { timeout: 20_000 }).toBe('failed');
  expect(loaded.service.status().session).toBeUndefined();
  await rename(`${model}.away`, model);
  // It waits between two attempts.
  const loading = threads.at(-1);
  await loading?.terminate();
  await expect.poll(state, { timeout: 20_000 }).toBe('ready');
  expect(threads.at(-1)).not.toBe(loading);
  expect(loaded.service.status().session).toMatchObject({ device: 'cpu', isPrepared: false });
});
