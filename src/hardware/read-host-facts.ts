import { Worker } from 'node:worker_threads';
import { err, ok, type Result } from '../core/result.ts';
import type { HostFacts } from './components.ts';
import { monotonicMs } from './monotonic.ts';
import type { ReadTask } from './read-worker.ts';

/**
 * Of the deadline, what programs may take: then they are ended, and the rest is for what was found
 * without them. Programs of a thread that is ended would run on.
 */
const PROGRAMS_SHARE = 0.8;

export type ReadDepth = 'files' | 'all';

export interface ReadOptions {
  /** After this many ms there is an answer, whatever a disk or a driver does. */
  readonly deadlineMs: number;
  /** `files` asks no programs, which takes a tenth of the time and may find less. Default: `all`. */
  readonly depth?: ReadDepth;
  /** See root-digests.ts; default: `/run/edge-infer/hardware.json`. */
  readonly rootDigestsFile?: string;
}

/** A reading in a thread started for the occasion. */
export interface Reading {
  readonly result: Promise<Result<HostFacts, string>>;
  /** When the thread has ended: later than the result where it hangs in the kernel. */
  readonly ended: Promise<unknown>;
}

/**
 * Reads what this host is. The error is a sentence for the operator: nothing was learnt about the
 * hardware, which is another thing than other hardware.
 */
export function readHostFacts(options: ReadOptions): Promise<Result<HostFacts, string>> {
  return startReading(options).result;
}

/** The same for who reads again and again: there is never more than one thread, hanging or not. */
export function createFactsReader(start: (options: ReadOptions) => Reading = startReading) {
  let threads: Promise<unknown> = Promise.resolve();

  return async (options: ReadOptions): Promise<Result<HostFacts, string>> => {
    const before = threads;
    // While it waits, this timer alone may be what keeps a command from ending before its answer.
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(late.resolve, options.deadlineMs, 'late');
    const turn = Promise.withResolvers<unknown>();
    threads = turn.promise;
    const isLate = (await Promise.race([before, late.promise])) === 'late';
    clearTimeout(timer);
    if (isLate) {
      turn.resolve(before);
      return err('the hardware could not be read: an earlier reading still hangs');
    }
    try {
      const { result, ended } = start(options);
      turn.resolve(ended);
      return await result;
    } finally {
      turn.resolve(undefined); // where none could be started
    }
  };
}

function startReading({ deadlineMs, depth = 'all', rootDigestsFile }: ReadOptions): Reading {
  const task: ReadTask = {
    programsEndMs: depth === 'files' ? undefined : monotonicMs() + deadlineMs * PROGRAMS_SHARE,
    ...(rootDigestsFile === undefined ? {} : { rootDigestsFile }),
  };
  const { promise, resolve } = Promise.withResolvers<Result<HostFacts, string>>();
  const worker = new Worker(new URL('./read-worker.ts', import.meta.url), {
    workerData: task,
    execArgv: [],
    stdout: true, // nothing that a library says reaches the log
    stderr: true,
  });
  const ended = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => resolve(err(`the hardware could not be read within ${deadlineMs} ms`)),
    deadlineMs,
  );
  worker.once('message', (facts) => resolve(ok(facts as HostFacts)));
  worker.once('error', (error) =>
    resolve(
      err(
        `the hardware could not be read (${(error as NodeJS.ErrnoException).code ?? error.name})`,
      ),
    ),
  );
  worker.once('exit', () => {
    resolve(err('the thread that reads the hardware ended early'));
    ended.resolve();
  });
  const result = promise.finally(() => {
    clearTimeout(timer);
    // Not awaited: a thread that hangs in the kernel ends when the kernel lets go of it.
    void worker.terminate();
    worker.unref();
  });
  return { result, ended: ended.promise };
}
