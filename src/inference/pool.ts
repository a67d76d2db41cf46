import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { forbidRuntimeTelemetry } from './offline.ts';
import type { WorkerReply, WorkerSetup, WorkerTask } from './protocol.ts';

/** How long closing waits for tasks that are being worked on, in ms. */
const MAX_CLOSE_WAIT_MS = 5_000;

const WORKER_FILE = fileURLToPath(new URL('../worker/entry.ts', import.meta.url));

/** Worker threads that each hold the model loaded. */
export interface WorkerPool {
  /**
   * Runs a task on the next free worker. Rejects only when the worker died; the pool has then
   * started another in its place.
   */
  run<T extends WorkerTask>(task: T): Promise<WorkerReply<T>>;
  readonly size: number;
  /** The live threads; tests kill them. */
  readonly threads: readonly Worker[];
  /** Ends the threads once they have done what they are at. */
  close(): Promise<void>;
}

/** Starts `size` workers; they load the model on their own, and tasks wait until they have. */
export function createWorkerPool(size: number, setup: WorkerSetup): WorkerPool {
  forbidRuntimeTelemetry();
  const piscina = new Piscina({
    filename: WORKER_FILE,
    name: 'handleTask',
    workerData: setup,
    minThreads: size,
    maxThreads: size,
    // Idle workers stay: a new one would have to load the model again.
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    // Its default blocks the worker's own event loop between tasks, which decoding needs.
    atomics: 'disabled',
    // Collecting young garbage often costs little and keeps the request's large strings few.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  // A dying worker is told to the caller of `run`; without a listener it would end the process.
  piscina.on('error', () => undefined);

  let runningTasks = 0;
  let whenIdle = Promise.withResolvers<void>();
  whenIdle.resolve();

  return {
    size,
    async run(task) {
      if (runningTasks++ === 0) {
        whenIdle = Promise.withResolvers();
      }
      try {
        return await piscina.run(task);
      } finally {
        if (--runningTasks === 0) {
          whenIdle.resolve();
        }
      }
    },
    get threads() {
      return piscina.threads;
    },
    async close() {
      // A thread that is ended inside the native runtime aborts the whole process, and a caller
      // who hung up or lost patience may have left one at work.
      const patience = delay(MAX_CLOSE_WAIT_MS, undefined, { ref: false });
      await Promise.race([whenIdle.promise, patience]);
      await piscina.destroy();
    },
  };
}
