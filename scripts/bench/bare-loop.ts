import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { forbidRuntimeTelemetry } from '../../src/inference/offline.ts';
import type { ModelSetup } from '../../src/inference/protocol.ts';
import type { Measurement } from './measurement.ts';

export interface BareLoop {
  /**
   * Classifies `imageCount` images, shared out evenly among the threads; `beside` may do something
   * else meanwhile on the main thread, whose CPU time is not counted.
   */
  measure(
    imageCount: number,
    beside?: (work: Promise<unknown>) => Promise<unknown>,
  ): Promise<Measurement>;
  close(): Promise<void>;
}

/**
 * The upper bound that the server is held against: as many threads as it has workers, the same
 * photos, decoding, resampling and session, and nothing else.
 */
export async function startBareLoop(
  threads: number,
  setup: ModelSetup,
  photos: readonly Uint8Array[],
): Promise<BareLoop> {
  forbidRuntimeTelemetry();
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(new URL('bare-loop-worker.ts', import.meta.url), {
        workerData: { setup, photos },
      }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));

  return {
    async measure(imageCount, beside = (work) => work) {
      const share = Math.ceil(imageCount / threads);
      const cpuBefore = process.cpuUsage();
      const ownBefore = process.threadCpuUsage();
      const startedMs = performance.now();
      const work = workers.map(async (worker) => {
        worker.postMessage(share);
        await once(worker, 'message');
      });
      await beside(Promise.all(work));
      const seconds = (performance.now() - startedMs) / 1000;
      const cpu = process.cpuUsage(cpuBefore);
      const own = process.threadCpuUsage(ownBefore);
      const images = share * threads;
      return {
        imagesPerSecond: images / seconds,
        cpuMsPerImage: (cpu.user + cpu.system - own.user - own.system) / 1000 / images,
      };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
