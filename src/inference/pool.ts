import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { forbidRuntimeTelemetry } from './offline.ts';
import type {
  ClassifyReply,
  ServeTask,
  WorkerLoad,
  WorkerMessage,
  WorkerSetup,
  WorkerTask,
} from './protocol.ts';

/** How long closing waits for tasks that are being worked on, in ms. */
const MAX_CLOSE_WAIT_MS = 5_000;

/** Between a worker that died while it loaded and the next, which may do the same, in ms. */
const RESTART_DELAY_MS = 1_000;

const DEATH = 'the worker thread ended';

const WORKER_FILE = fileURLToPath(new URL('../worker/entry.ts', import.meta.url));

/** Told of what happens to workers outside of the tasks that they were given. */
export interface PoolObserver {
  /** A worker died, busy or idle; the pool has started another in its place. */
  onDeath(): void;
  /** A worker has loaded the model, or could not: `loads` has it too. */
  onLoad(load: WorkerLoad): void;
}

/** Worker threads that each hold the model loaded, and work on one task at a time. */
export interface WorkerPool {
  /** Resolves when each of the first workers has told; rejects when one of them died before. */
  readonly started: Promise<void>;
  /** How the last attempt of each living worker to load the model went; none of it yet, no entry. */
  readonly loads: readonly WorkerLoad[];
  /**
   * Runs a task on the next free worker, in order of arrival. Rejects only when the worker died;
   * the pool has then started another in its place.
   */
  run(task: WorkerTask): Promise<ClassifyReply>;
  readonly size: number;
  /** Ends the threads once they have done what they are at. */
  close(): Promise<void>;
}

interface Assignment {
  readonly task: WorkerTask;
  readonly resolve: (reply: ClassifyReply) => void;
  readonly reject: (reason: Error) => void;
}

interface Member {
  readonly port: MessagePort;
  /** Once its model is loaded it takes tasks. */
  load: WorkerLoad | undefined;
  assignment: Assignment | undefined;
}

/**
 * Starts `size` workers; they load the model on their own, and tasks wait until they have.
 *
 * piscina starts the threads, replaces them and ends them. What it is given to run is one task a
 * thread that lasts as long as the thread does; requests go to it over a port of their own, because
 * a piscina task for each of them costs the main thread a quarter of all that it does for a request.
 */
export function createWorkerPool(
  size: number,
  setup: WorkerSetup,
  observer: PoolObserver,
): WorkerPool {
  forbidRuntimeTelemetry();
  const piscina = new Piscina({
    filename: WORKER_FILE,
    name: 'serveTasks',
    workerData: setup,
    minThreads: size,
    maxThreads: size,
    // Idle workers stay: a new one would have to load the model again.
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    // Its default blocks the worker's own event loop, which requests arrive on.
    atomics: 'disabled',
    recordTiming: false,
    // Collecting young garbage often costs little and keeps the request's large strings few.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  // A death is told by the end of the thread's task; without a listener it would end the process.
  piscina.on('error', () => undefined);
  const members = new Set<Member>();
  const free: Member[] = [];
  const waiting: Assignment[] = [];
  let isClosing = false;
  let whenIdle: (() => void) | undefined;
  const started = Promise.withResolvers<void>();
  for (let index = 0; index < size; index++) {
    start(false);
  }

  function start(isReplacement: boolean): void {
    const { port1: port, port2: workerPort } = new MessageChannel();
    const member: Member = { port, load: undefined, assignment: undefined };
    members.add(member);
    port.on('message', (message: WorkerMessage) => {
      if (message.kind === 'load') {
        takeLoad(member, message.load);
      } else {
        const { assignment } = member;
        release(member);
        assignment?.resolve(message.reply);
      }
    });
    const task: ServeTask = { port: workerPort, isReplacement };
    const onEnd = () => replace(member);
    piscina.run(task, { transferList: [workerPort] }).then(onEnd, onEnd);
  }

  function takeLoad(member: Member, load: WorkerLoad): void {
    member.load = load;
    if (load.ok) {
      release(member);
    }
    if (!isClosing) {
      observer.onLoad(load);
    }
    if (listLoads().length === size) {
      started.resolve();
    }
  }

  function listLoads(): WorkerLoad[] {
    return [...members].flatMap(({ load }) => load ?? []);
  }

  function assign(member: Member, assignment: Assignment): void {
    member.assignment = assignment;
    member.port.postMessage(assignment.task);
  }

  function release(member: Member): void {
    member.assignment = undefined;
    const next = waiting.shift();
    if (next !== undefined) {
      assign(member, next);
      return;
    }
    free.push(member);
    reportIdle();
  }

  function replace(member: Member): void {
    members.delete(member);
    member.port.close();
    if (free.includes(member)) {
      free.splice(free.indexOf(member), 1);
    }
    // One that dies while it loads would let those who wait for it wait in vain.
    const wasReady = member.load?.ok === true;
    const lost = wasReady ? [member.assignment] : waiting.splice(0);
    if (!isClosing) {
      setTimeout(() => isClosing || start(true), wasReady ? 0 : RESTART_DELAY_MS);
      observer.onDeath();
    }
    started.reject(new Error(DEATH));
    for (const assignment of lost) {
      assignment?.reject(new Error(DEATH));
    }
    reportIdle();
  }

  function reportIdle(): void {
    if (whenIdle !== undefined && [...members].every(({ assignment }) => !assignment)) {
      whenIdle();
    }
  }

  return {
    size,
    started: started.promise,
    get loads() {
      return listLoads();
    },
    run(task) {
      return new Promise((resolve, reject) => {
        if (isClosing) {
          reject(new Error('the pool is closed'));
          return;
        }
        const assignment = { task, resolve, reject };
        const member = free.pop();
        if (member === undefined) {
          waiting.push(assignment);
        } else {
          assign(member, assignment);
        }
      });
    },
    async close() {
      isClosing = true;
      // A thread that is ended inside the native runtime aborts the whole process, and a caller
      // who hung up or lost patience may have left one at work.
      const idle = new Promise<void>((resolve) => {
        whenIdle = resolve;
        reportIdle();
      });
      await Promise.race([idle, delay(MAX_CLOSE_WAIT_MS, undefined, { ref: false })]);
      await piscina.destroy();
      for (const { reject } of waiting.splice(0)) {
        reject(new Error('the pool was closed'));
      }
    },
  };
}
