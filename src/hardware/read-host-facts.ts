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

/**
 * Reads what this host is, in a thread started for the occasion. The error is a sentence for the
 * operator: nothing was learnt about the hardware, which is another thing than other hardware.
 */
export async function readHostFacts({
  deadlineMs,
  depth = 'all',
  rootDigestsFile,
}: ReadOptions): Promise<Result<HostFacts, string>> {
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
  worker.once('exit', () => resolve(err('the thread that reads the hardware ended early')));
  const result = await promise;
  clearTimeout(timer);
  // Not awaited: a thread that hangs in the kernel ends when the kernel lets go of it.
  void worker.terminate();
  worker.unref();
  return result;
}
