import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { forbidRuntimeTelemetry } from './offline.ts';
import type { ReplacementNotice, WorkerReply, WorkerSetup, WorkerTask } from './protocol.ts';

/** How long closing waits for tasks that are being worked on, in ms. */
const MAX_CLOSE_WAIT_MS = 5_000;

const WORKER_FILE = fileURLToPath(new URL('../worker/entry.ts', import.meta.url));

/** Told of what happens to workers outside of the tasks that they were given. */
export interface PoolObserver {
  /** A worker died, busy or idle; the pool has started another in its place. */
  onDeath(): void;
  onReplacement(notice: ReplacementNotice): void;
}

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
export function createWorkerPool(
  size: number,
  setup: WorkerSetup,
  observer: PoolObserver,
): WorkerPool {
  forbidRuntimeTelemetry();
  let isClosing = false;
  let piscina = start();

  function start(): Piscina {
    const readyThreads = new Set<number>();
    const started = new Piscina({
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
      // Its default also gives tasks to workers that are still loading, however long that takes.
      loadBalancer: (_task, workers) =>
        workers.find(({ id, currentUsage }) => currentUsage === 0 && readyThreads.has(id)) ?? null,
    });
    started.on('workerCreate', ({ id }: { id: number }) => readyThreads.add(id));
    // A dying worker is told to the caller of `run`; without a listener it would end the process.
    started.on('error', () => undefined);
    started.on('message', (notice: ReplacementNotice) => observer.onReplacement(notice));
    started.on('workerDestroy', ({ id }: { id: number }) => {
      readyThreads.delete(id);
      if (!isClosing && started === piscina) {
        observer.onDeath();
        setImmediate(replaceIfGivenUp, started);
      }
    });
    return started;
  }

  /** piscina starts no worker ever again once one has died before it was ready. */
  function replaceIfGivenUp(started: Piscina): void {
    if (isClosing || started !== piscina || started.threads.length === size) {
      return;
    }
    piscina = start();
    // Its last workers may be inside the native runtime, where ending them would abort the process.
    void (started.threads.length === 0 ? started.destroy() : started.close());
  }

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
      isClosing = true;
      // A thread that is ended inside the native runtime aborts the whole process, and a caller
      // who hung up or lost patience may have left one at work.
      const patience = delay(MAX_CLOSE_WAIT_MS, undefined, { ref: false });
      await Promise.race([whenIdle.promise, patience]);
      await piscina.destroy();
    },
  };
}
