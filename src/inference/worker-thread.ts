import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ServeTask, WorkerSetup } from './protocol.ts';

const WORKER_FILE = fileURLToPath(new URL('../worker/entry.ts', import.meta.url));

/** Collecting young garbage often costs little and keeps a request's large strings few. */
export const YOUNG_GENERATION_MIB = 8;

/** A worker thread from its start to its end, however that comes. */
export interface WorkerThread {
  /** `WorkerTask`s and `Ping`s go in, `WorkerMessage`s come out. */
  readonly port: MessagePort;
  /**
   * Ends it once it is outside of the native runtime, which a thread that is ended inside takes the
   * whole process with: when it has done what it is at, be that the loading of the model.
   */
  end(): Promise<void>;
}

/**
 * Starts a worker thread; `onEnd` is called once it has ended, with a sentence on why.
 *
 * piscina starts it, loads its code and ends it. What it is given to run is one task that lasts as
 * long as the thread does; requests go over a port of their own, because a piscina task for each of
 * them costs the main thread a quarter of all that it does for a request. A piscina for each thread,
 * because one for several does not tell whose thread could not begin, and then starts none again.
 */
export function startWorkerThread(
  setup: WorkerSetup,
  isReplacement: boolean,
  onEnd: (reason: string) => void,
): WorkerThread {
  const piscina = new Piscina({
    filename: WORKER_FILE,
    name: 'serveTasks',
    workerData: setup,
    minThreads: 0, // it would replace the thread at once
    maxThreads: 1,
    // Its default blocks the worker's own event loop, which requests arrive on.
    atomics: 'disabled',
    recordTiming: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  });
  let reason = 'the worker thread ended';
  const noteReason = (error: Error) => {
    reason = `${reason}: ${describe(error)}`;
  };
  piscina.on('error', noteReason); // its code could not be loaded
  // That the thread is gone is told just before the reason.
  piscina.on('workerDestroy', () => setImmediate(() => onEnd(reason)));
  const { port1: port, port2: workerPort } = new MessageChannel();
  const task: ServeTask = { port: workerPort, isReplacement };
  const done = piscina.run(task, { transferList: [workerPort] }).catch(noteReason);
  return {
    port,
    async end() {
      port.close(); // which the task ends by
      await done;
      await piscina.destroy();
    },
  };
}

function describe({ name, code, message, stack = '' }: NodeJS.ErrnoException): string {
  const [sentence = ''] = message.split('\n');
  const [firstLine = ''] = stack.split('\n');
  const place = firstLine.startsWith('file:') ? `${firstLine}: ` : ''; // of what cannot be parsed
  const isDamaged = code === 'ERR_MODULE_NOT_FOUND' || name === 'SyntaxError';
  return isDamaged
    ? `${place}${sentence}; files of this installation are missing or damaged: install it again`
    : sentence;
}
