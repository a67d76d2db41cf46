/** One thread of the bare loop: decode, resample, run, over and over, with no server around it. */
import { parentPort, workerData } from 'node:worker_threads';
import { choosePreparer } from '../../src/imaging/choose-preparer.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { ModelSetup } from '../../src/inference/protocol.ts';
import { describePreparation } from '../../src/worker/classify.ts';
import { loadSession } from '../../src/worker/session.ts';

const { setup, photos } = workerData as { setup: ModelSetup; photos: Uint8Array[] };
const imaging = choosePreparer('auto', describePreparation(setup.manifest));
if (!imaging.ok) {
  throw new Error(imaging.error);
}
const { preparer } = imaging.value;
const session = await loadSession(setup);
if (!session.ok) {
  throw new Error(session.error);
}
const loaded = session.value;

async function classify(photo: Uint8Array): Promise<void> {
  const header = probeImage(photo);
  if (!header.ok) {
    throw new Error(header.error.detail);
  }
  const prepared = await preparer.prepare(photo, header.value, loaded.input, false);
  if (!prepared.ok) {
    throw new Error(prepared.error.detail);
  }
  await loaded.run();
}

async function classifyMany(imageCount: number): Promise<void> {
  for (let i = 0; i < imageCount; i++) {
    await classify(photos[i % photos.length] as Uint8Array);
  }
  parentPort?.postMessage('done');
}

// A failure ends the thread, and with it the benchmark.
parentPort?.on('message', (imageCount: number) => void classifyMany(imageCount));
parentPort?.postMessage('ready');
