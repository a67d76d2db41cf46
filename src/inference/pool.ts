import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { forbidRuntimeTelemetry } from './offline.ts';
import type {
  ReplacementNotice,
  WorkerMessage,
  WorkerReply,
  WorkerSetup,
  WorkerTask,
} from './protocol.ts';

/** How long closing waits for tasks that are being worked on, in ms. */
const MAX_CLOSE_WAIT_MS = 5_000;

/** Between a worker that died while it loaded and the next, which may do the same, in ms. */
const RESTART_DELAY_MS = 1_000;

const WORKER_FILE = fileURLToPath(new URL('../worker/entry.ts', import.meta.url));

/** Told of what happens to workers outside of the tasks that they were given. */
export interface PoolObserver {
  /** A worker died, busy or idle; the pool has started another in its place. */
  onDeath(): void;
  onReplacement(notice: ReplacementNotice): void;
}

/** Worker threads that each hold the model loaded, and work on one task at a time. */
export interface WorkerPool {
  /**
   * Runs a task on the next free worker, in order of arrival. Rejects only when the worker died;
   * the pool has then started another in its place.
   */
  run<T extends WorkerTask>(task: T): Promise<WorkerReply<T>>;
  readonly size: number;
  /** Ends the threads once they have done what they are at. */
  close(): Promise<void>;
}

interface Assignment {
  readonly task: WorkerTask;
  readonly resolve: (reply: WorkerReply<WorkerTask>) => void;
  readonly reject: (reason: Error) => void;
}

interface Member {
  readonly thread: Worker;
  /** Whether its model is loaded: from then on it takes tasks. */
  isReady: boolean;
  assignment: Assignment | undefined;
}

/** Starts `size` workers; they load the model on their own, and tasks wait until they have. */
export function createWorkerPool(
  size: number,
  setup: WorkerSetup,
  observer: PoolObserver,
): WorkerPool {
  forbidRuntimeTelemetry();
  const members = new Set<Member>();
  const free: Member[] = [];
  const waiting: Assignment[] = [];
  let isClosing = false;
  let whenIdle: (() => void) | undefined;
  for (let index = 0; index < size; index++) {
    start();
  }

  function start(): void {
    const thread = new Worker(WORKER_FILE, {
      workerData: setup,
      // Collecting young garbage often costs little and keeps the request's large strings few.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    const member: Member = { thread, isReady: false, assignment: undefined };
    members.add(member);
    thread.on('message', (message: WorkerMessage) => {
      if (message.kind === 'replacement') {
        observer.onReplacement(message);
      } else if (message.kind === 'ready') {
        member.isReady = true;
        release(member);
      } else {
        const { assignment } = member;
        release(member);
        assignment?.resolve(message.reply);
      }
    });
    // What it died of is told by its exit; without a listener it would end the process.
    thread.on('error', () => undefined);
    thread.on('exit', () => replace(member));
  }

  function assign(member: Member, assignment: Assignment): void {
    member.assignment = assignment;
    member.thread.postMessage(assignment.task);
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
    if (free.includes(member)) {
      free.splice(free.indexOf(member), 1);
    }
    // One that dies while it loads would let those who wait for it wait in vain.
    const lost = member.isReady ? [member.assignment] : waiting.splice(0);
    if (!isClosing) {
      setTimeout(() => isClosing || start(), member.isReady ? 0 : RESTART_DELAY_MS);
      observer.onDeath();
    }
    for (const assignment of lost) {
      assignment?.reject(new Error('the worker thread ended'));
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
    run<T extends WorkerTask>(task: T) {
      return new Promise<WorkerReply<T>>((resolve, reject) => {
        if (isClosing) {
          reject(new Error('the pool is closed'));
          return;
        }
        const assignment = { task, resolve, reject } as Assignment; // the reply is its task's
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
      await Promise.all([...members].map(({ thread }) => thread.terminate()));
      for (const { reject } of waiting.splice(0)) {
        reject(new Error('the pool was closed'));
      }
    },
  };
}
