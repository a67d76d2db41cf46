import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createImageService, type ImageService } from '../../src/inference/service.ts';
import { goldenFolder, packageRoot } from '../support/server.ts';

export interface Loaded extends AsyncDisposable {
  readonly service: ImageService;
  readonly warnings: readonly string[];
}

/** Loads a model as the server does, keeping what it warns of. */
export async function load(
  stateDir: string,
  model: string,
  { workers = 1, threads = 1 } = {},
): Promise<Loaded> {
  const warnings: string[] = [];
  const service = createImageService(
    {
      deployName: 'test',
      model,
      modelsDir: join(packageRoot, 'models'),
      stateDir,
      device: 'cpu',
      imaging: 'auto',
      workers,
      threads,
      deadlineMs: 10_000,
      queue: { maxRequests: 10, maxBytes: 1e8 },
      runtimeVersion: '1',
      cpuFeatures: 'these',
    },
    {
      onReady: () => undefined,
      onFailed: ({ problems }) => warnings.push(...problems),
      onWarning: (message) => warnings.push(message),
      onHang: () => undefined,
      onWorkerDied: () => undefined,
    },
  );
  await service.load();
  return { service, warnings, [Symbol.asyncDispose]: async () => void (await service.close()) };
}

/** The scores of all classes, to the last bit. */
export async function classifyPhoto({ service }: Loaded): Promise<string> {
  const image = new Uint8Array(await readFile(join(goldenFolder, 'rocket.jpg')));
  const { outcome } = await service.classifyImage(image, 1000);
  expect(outcome.ok).toBe(true);
  return JSON.stringify(outcome);
}

/**
 * Makes a model of convolutions and matrices with random weights, the two kinds that onnxruntime
 * rearranges, in `folder`; returns its path.
 */
export function makeRandomModel(folder: string): string {
  const model = join(folder, 'random');
  const script = join(packageRoot, 'scripts/make-random-model.ts');
  const { status } = spawnSync(process.execPath, [script, model, '13']);
  expect(status).toBe(0);
  return model;
}
