import { setTimeout as delay } from 'node:timers/promises';
import { err } from '../core/result.ts';
import { within } from '../core/within.ts';
import {
  createWatchClock,
  describeHang,
  type HangLimits,
  LOOK_INTERVAL_MS,
  type Owed,
  type OwedAnswer,
} from './hang-watch.ts';
import { forbidRuntimeTelemetry } from './offline.ts';
import type {
  ClassifyReply,
  Ping,
  WorkerLoad,
  WorkerMessage,
  WorkerSetup,
  WorkerTask,
} from './protocol.ts';
import { startWorkerThread, type WorkerThread } from './worker-thread.ts';

/** How long closing waits for tasks that are being worked on, and then for models being loaded, in ms. */
const MAX_CLOSE_WAIT_MS = 5_000;

/**
 * Before a worker that ended while it loaded is started anew, which may end the same way: doubled
 * each time it does.
 */
const RESTART_DELAY_MS = 1_000;
const MAX_RESTART_DELAY_MS = 30_000;

/** Told of what happens to workers outside of the tasks that they were given. */
export interface PoolObserver {
  /** A worker died, busy or idle; the pool starts another in its place. */
  onDeath(): void;
  /** A worker has loaded the model, or could not: `loads` has it too. */
  onLoad(load: WorkerLoad): void;
  /** A worker that was silent for too long, as a sentence; undefined: all answer again. */
  onHang(hang: string | undefined): void;
  /** How long workers may be silent now. */
  hangLimits(): HangLimits;
}

/** Worker threads that each hold the model loaded, and work on one task at a time. */
export interface WorkerPool {
  /** Resolves when each of the first workers has told how loading went, or ended while it did. */
  readonly started: Promise<void>;
  /**
   * How the last attempt to load the model went in each worker's place; no entry for one that died
   * after it had, until its successor tells.
   */
  readonly loads: readonly WorkerLoad[];
  /**
   * Runs a task on the next free worker, in order of arrival. Rejects only when the worker died;
   * the pool then starts another in its place.
   */
  run(task: WorkerTask): Promise<ClassifyReply>;
  readonly size: number;
  /**
   * Ends the threads once they have done what they are at. One that never does is `left`: nothing but
   * a signal then ends the process.
   */
  close(): Promise<'ended' | 'left'>;
}

interface Assignment {
  readonly task: WorkerTask;
  readonly resolve: (reply: ClassifyReply) => void;
  readonly reject: (reason: Error) => void;
}

interface Member {
  /** Its index among the members, which its successor will have. */
  readonly place: number;
  readonly isReplacement: boolean;
  readonly thread: WorkerThread;
  /** Once its model is loaded it takes tasks. Until it tells, what its predecessor told last. */
  load: WorkerLoad | undefined;
  assignment: Assignment | undefined;
  /** What it was asked and has not answered; undefined when it owes nothing. */
  owed: Owed | undefined;
  /** Threads in a row that ended before the model was loaded. */
  failedStarts: number;
}

/** Starts `size` workers; they load the model on their own, and tasks wait until they have. */
export function createWorkerPool(
  size: number,
  setup: WorkerSetup,
  observer: PoolObserver,
): WorkerPool {
  forbidRuntimeTelemetry();
  const members: Member[] = [];
  const free: Member[] = [];
  const waiting: Assignment[] = [];
  const closing = new AbortController();
  let whenIdle: (() => void) | undefined;
  let closed: ReturnType<WorkerPool['close']> | undefined;
  const started = Promise.withResolvers<void>();
  const clock = createWatchClock();
  let knownHang: string | undefined;
  const looking = setInterval(look, LOOK_INTERVAL_MS).unref();
  for (let place = 0; place < size; place++) {
    start(place);
  }

  function start(place: number, predecessor?: Member): void {
    const isReplacement = predecessor !== undefined;
    const thread = startWorkerThread(setup, isReplacement, (reason) => replace(member, reason));
    const member: Member = {
      ...{ place, isReplacement, thread },
      load: predecessor?.load,
      assignment: undefined,
      owed: owe('load'),
      failedStarts: predecessor?.failedStarts ?? 0,
    };
    members[place] = member;
    thread.port.on('message', (message: WorkerMessage) => {
      member.owed =
        message.kind === 'pong' && member.owed?.what !== 'ping' ? member.owed : undefined;
      if (message.kind === 'load') {
        takeLoad(member, message.load);
        if (!message.load.ok && isReplacement) {
          member.owed = owe('load'); // it tries again
        }
      } else if (message.kind === 'reply') {
        const { assignment } = member;
        release(member);
        assignment?.resolve(message.reply);
      }
    });
  }

  function takeLoad(member: Member, load: WorkerLoad): void {
    member.load = load;
    if (load.ok) {
      release(member);
    }
    if (!closing.signal.aborted) {
      observer.onLoad(load);
    }
    if (listLoads().length === size) {
      started.resolve();
    }
  }

  function listLoads(): WorkerLoad[] {
    return members.flatMap(({ load }) => load ?? []);
  }

  function owe(what: OwedAnswer): Owed {
    return { what, sinceMs: clock.nowMs };
  }

  /** Asks those for a sign of life that owe nothing, and tells of those that owe for too long. */
  function look(): void {
    clock.tick();
    const limits = observer.hangLimits();
    const hung = members.find(({ place, owed }) => describeHang(place, owed, clock.nowMs, limits));
    const hang = hung && describeHang(hung.place, hung.owed, clock.nowMs, limits);
    if ((hang === undefined) !== (knownHang === undefined)) {
      observer.onHang(hang);
    }
    knownHang = hang;
    for (const member of members) {
      if (member.owed === undefined && member.load?.ok === true) {
        member.owed = owe('ping');
        member.thread.port.postMessage({ kind: 'ping' } satisfies Ping);
      }
    }
  }

  function assign(member: Member, assignment: Assignment): void {
    member.assignment = assignment;
    member.owed = owe('task');
    member.thread.port.postMessage(assignment.task);
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

  /** Has another thread take the place of one that ended. */
  function replace(member: Member, reason: string): void {
    member.thread.port.close();
    member.owed = undefined;
    if (free.includes(member)) {
      free.splice(free.indexOf(member), 1);
    }
    const wasReady = member.load?.ok === true;
    // One that dies while it loads would let those who wait for it wait in vain.
    const lost = wasReady ? [member.assignment] : waiting.splice(0);
    member.assignment = undefined;
    if (wasReady) {
      member.load = undefined;
      member.failedStarts = 0;
      restart(member, 0);
    } else {
      takeLoad(member, err(reason));
      // Of the first ones none is tried again: whoever waits for them shall hear of it.
      if (member.isReplacement) {
        const delayMs = RESTART_DELAY_MS * 2 ** member.failedStarts++;
        restart(member, Math.min(delayMs, MAX_RESTART_DELAY_MS));
      }
    }
    for (const assignment of lost) {
      assignment?.reject(new Error(reason));
    }
    reportIdle();
  }

  function restart(member: Member, delayMs: number): void {
    const { signal } = closing;
    if (signal.aborted) {
      return;
    }
    delay(delayMs, undefined, { signal }).then(
      () => start(member.place, member),
      () => undefined, // closed meanwhile
    );
    observer.onDeath();
  }

  function reportIdle(): void {
    if (whenIdle !== undefined && members.every(({ assignment }) => !assignment)) {
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
        if (closing.signal.aborted) {
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
    close() {
      closed ??= close();
      return closed;
    },
  };

  async function close(): Promise<'ended' | 'left'> {
    closing.abort();
    // A thread that is ended inside the native runtime aborts the whole process, and a caller
    // who hung up or lost patience may have left one at work.
    const idle = new Promise<void>((resolve) => {
      whenIdle = resolve;
      reportIdle();
    });
    await within(MAX_CLOSE_WAIT_MS, idle);
    clearInterval(looking);
    const limits = observer.hangLimits();
    const ending = members.filter(
      ({ assignment, place, owed }) =>
        !assignment && describeHang(place, owed, clock.nowMs, limits) === undefined,
    );
    // Of those that load for longer each ends by itself, later.
    const ended = await within(
      MAX_CLOSE_WAIT_MS,
      Promise.all(ending.map(({ thread }) => thread.end())),
    );
    for (const { reject } of waiting.splice(0)) {
      reject(new Error('the pool was closed'));
    }
    started.resolve(); // nobody will tell any more
    return ended?.length === members.length ? 'ended' : 'left';
  }
}
