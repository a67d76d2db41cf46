import type { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';
import { YOUNG_GENERATION_MIB } from '../../src/inference/worker-thread.ts';

/**
 * The threads that are started to hold a model, from now on and in order; other threads do not have
 * their limits.
 */
export function collectModelThreads(): readonly Worker[] {
  const threads: Worker[] = [];
  const remember = (worker: Worker) => {
    if (worker.resourceLimits?.maxYoungGenerationSizeMb === YOUNG_GENERATION_MIB) {
      threads.push(worker);
    }
  };
  process.on('worker', remember);
  afterAll(() => process.off('worker', remember));
  return threads;
}
