import { fault } from '../core/errors.ts';
import { err } from '../core/result.ts';
import { deadlinePassed } from './admission.ts';
import type { WorkerPool } from './pool.ts';
import type { ClassifyReply, WorkerTask } from './protocol.ts';

/** Runs a task, once more on another worker when the first one dies. */
export async function runTwice(
  pool: WorkerPool | undefined,
  task: WorkerTask,
  givenUp?: AbortSignal,
): Promise<ClassifyReply> {
  let tries = 0;
  while (pool !== undefined && tries < 2 && givenUp?.aborted !== true) {
    tries++;
    try {
      return await pool.run(task);
    } catch {
      // The pool has told of the death; here only the request counts.
    }
  }
  const detail =
    tries === 2 ? 'the worker died twice on this request' : 'the worker died on this request';
  return { outcome: err(fault('INTERNAL', detail)), timings: {} };
}

/** The answer for a caller whose deadline passes while a worker is busy with the request. */
export function waitForAbort(signal: AbortSignal): Promise<ClassifyReply> {
  return new Promise((resolve) => {
    const onAbort = () => resolve({ outcome: err(deadlinePassed()), timings: {} });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
