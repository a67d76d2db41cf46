/** Runs in each worker thread: loads the model named by the setup, then answers tasks. */
import { workerData } from 'node:worker_threads';
import { fault } from '../core/errors.ts';
import { err } from '../core/result.ts';
import type { WorkerReply, WorkerSetup, WorkerTask } from '../inference/protocol.ts';
import { createClassifier } from './classify.ts';
import { loadSession } from './session.ts';

// piscina hands its caller's data over inside its own.
const setup = workerData as WorkerSetup;

const session = await loadSession(setup);
const classify = session.ok ? createClassifier(session.value, setup.manifest) : undefined;

/** piscina's entry point. Answers with plain data always; a rejection means the thread died. */
export async function handleTask(task: WorkerTask): Promise<WorkerReply<WorkerTask>> {
  if (task.kind === 'describe') {
    return session.ok ? { ok: true, value: session.value.description } : session;
  }
  if (classify === undefined) {
    return {
      outcome: err(fault('UNAVAILABLE', 'the model could not be loaded in this worker', 60)),
      timings: {},
    };
  }
  return classify(task);
}
