import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { WorkerReply, WorkerSetup, WorkerTask } from './protocol.ts';

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
  close(): Promise<void>;
}

/** Starts `size` workers; they load the model on their own, and tasks wait until they have. */
export function createWorkerPool(size: number, setup: WorkerSetup): WorkerPool {
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

  return {
    size,
    run: (task) => piscina.run(task),
    get threads() {
      return piscina.threads;
    },
    close: () => piscina.destroy(),
  };
}
