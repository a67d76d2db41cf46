/** Runs in each worker thread: loads the model named by the setup, then answers tasks. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import { choosePreparer, type ImagingChoice } from '../imaging/choose-preparer.ts';
import type {
  ReplacementNotice,
  ServeTask,
  WorkerMessage,
  WorkerReply,
  WorkerSetup,
  WorkerTask,
} from '../inference/protocol.ts';
import { createClassifier, describePreparation } from './classify.ts';
import { type LoadedSession, loadSession } from './session.ts';

const RETRY_AFTER_MS = 2_000;

const setup = workerData as WorkerSetup;
const loaded = await load();
const classify = loaded.ok ? createClassifier(loaded.value, setup.manifest) : undefined;

interface Loaded {
  readonly session: LoadedSession;
  readonly imaging: ImagingChoice;
}

async function loadOnce(): Promise<Result<Loaded, string>> {
  const imaging = choosePreparer(setup.imaging, describePreparation(setup.manifest));
  if (!imaging.ok) {
    return imaging;
  }
  const session = await loadSession(setup);
  return session.ok ? ok({ session: session.value, imaging: imaging.value }) : session;
}

/**
 * Loads the model. A replacement that cannot keeps trying and tells: this thread gets no task
 * before its module has loaded, so requests go to workers that can answer them.
 */
async function load(): Promise<Result<Loaded, string>> {
  for (;;) {
    const loaded = await loadOnce();
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

/** piscina's entry point: works on what comes over the port until the pool closes it. */
export async function serveTasks({ port }: ServeTask): Promise<void> {
  const send = (message: WorkerMessage) => port.postMessage(message);
  port.on('message', (task: WorkerTask) => {
    void handleTask(task).then((reply) => send({ kind: 'reply', reply }));
  });
  send({ kind: 'ready' });
  await once(port, 'close');
}

/** Answers with plain data always: it never rejects. */
async function handleTask(task: WorkerTask): Promise<WorkerReply<WorkerTask>> {
  if (task.kind === 'describe') {
    if (!loaded.ok) {
      return loaded;
    }
    const { session, imaging } = loaded.value;
    const { imaging: way, imagingReason } = imaging;
    return ok({ ...session.description, imaging: way, imagingReason });
  }
  if (classify === undefined) {
    return { outcome: err(fault('UNAVAILABLE', 'the model is not loaded')), timings: {} };
  }
  return classify(task);
}
