/** Runs in each worker thread: loads the model named by the setup, then answers tasks. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { ok, type Result } from '../core/result.ts';
import { choosePreparer, type ImagingChoice } from '../imaging/choose-preparer.ts';
import type {
  Ping,
  ServeTask,
  WorkerDescription,
  WorkerMessage,
  WorkerSetup,
  WorkerTask,
} from '../inference/protocol.ts';
import { createClassifier, describePreparation } from './classify.ts';
import { type LoadedSession, loadSession } from './session.ts';

const RETRY_AFTER_MS = 2_000;

const setup = workerData as WorkerSetup;

interface Loaded {
  readonly session: LoadedSession;
  readonly imaging: ImagingChoice;
}

/**
 * piscina's entry point: loads the model and tells how that went, then works on what comes over the
 * port until the pool closes it.
 */
export async function serveTasks({ port, isReplacement }: ServeTask): Promise<void> {
  const send = (message: WorkerMessage) => port.postMessage(message);
  let isClosed = false;
  const closed = once(port, 'close').then(() => {
    isClosed = true;
  });
  let loaded = await load();
  while (!loaded.ok && isReplacement) {
    send({ kind: 'load', load: loaded });
    await Promise.race([delay(RETRY_AFTER_MS), closed]);
    if (isClosed) {
      return;
    }
    loaded = await load();
  }
  if (loaded.ok) {
    const classify = createClassifier(loaded.value, setup.manifest);
    port.on('message', (task: WorkerTask | Ping) => {
      if (task.kind === 'ping') {
        send({ kind: 'pong' });
        return;
      }
      void classify(task).then((reply) => send({ kind: 'reply', reply }));
    });
  }
  send({ kind: 'load', load: loaded.ok ? ok(describe(loaded.value)) : loaded });
  await closed;
}

async function load(): Promise<Result<Loaded, string>> {
  const imaging = choosePreparer(setup.imaging, describePreparation(setup.manifest));
  if (!imaging.ok) {
    return imaging;
  }
  const session = await loadSession(setup);
  return session.ok ? ok({ session: session.value, imaging: imaging.value }) : session;
}

function describe({ session, imaging }: Loaded): WorkerDescription {
  const { imaging: way, imagingReason } = imaging;
  return { ...session.description, imaging: way, imagingReason };
}
