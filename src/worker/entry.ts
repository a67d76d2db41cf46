/** Runs in each worker thread: loads the model named by the setup, then answers tasks. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { fault } from '../core/errors.ts';
import { err, type Result } from '../core/result.ts';
import type {
  ReplacementNotice,
  WorkerReply,
  WorkerSetup,
  WorkerTask,
} from '../inference/protocol.ts';
import { createClassifier } from './classify.ts';
import { type LoadedSession, loadSession } from './session.ts';

const RETRY_AFTER_MS = 2_000;

const setup = workerData as WorkerSetup;
const session = await load();
const classify = session.ok ? createClassifier(session.value, setup.manifest) : undefined;

/**
 * Loads the model. A replacement that cannot keeps trying and tells: this thread gets no task
 * before its module has loaded, so requests go to workers that can answer them.
 */
async function load(): Promise<Result<LoadedSession, string>> {
  for (;;) {
    const loaded = await loadSession(setup);
    const isReplacement = Atomics.load(setup.proven, 0) === 1;
    if (isReplacement) {
      const problem = loaded.ok ? undefined : loaded.error;
      parentPort?.postMessage({ threadId, problem } satisfies ReplacementNotice);
    }
    if (loaded.ok || !isReplacement) {
      return loaded;
    }
    await delay(RETRY_AFTER_MS);
  }
}

/** piscina's entry point. Answers with plain data always; a rejection means the thread died. */
export async function handleTask(task: WorkerTask): Promise<WorkerReply<WorkerTask>> {
  if (task.kind === 'describe') {
    return session.ok ? { ok: true, value: session.value.description } : session;
  }
  if (classify === undefined) {
    return { outcome: err(fault('UNAVAILABLE', 'the model is not loaded')), timings: {} };
  }
  return classify(task);
}
