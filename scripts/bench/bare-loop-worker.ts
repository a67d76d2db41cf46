/** One thread of the bare loop: decode, resample, run, over and over, with no server around it. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeImage } from '../../src/imaging/decode.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { resampleCrop } from '../../src/imaging/resample.ts';
import { createTensorFiller } from '../../src/imaging/tensor.ts';
import type { ModelSetup } from '../../src/inference/protocol.ts';
import { loadSession } from '../../src/worker/session.ts';

const { setup, photos } = workerData as { setup: ModelSetup; photos: Uint8Array[] };
const { input, preprocessing } = setup.manifest;
const recipe: ImagingRecipe = { ...preprocessing, colour: input.colour };
const fillTensor = createTensorFiller({ ...input, normalise: preprocessing.normalise });
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
  const pixels = await decodeImage(photo, header.value, {
    colour: input.colour === 'grey' ? 'grey' : 'rgb',
    exifOrientation: preprocessing.exifOrientation,
  });
  if (!pixels.ok) {
    throw new Error(pixels.error.detail);
  }
  fillTensor(resampleCrop(pixels.value, recipe), loaded.input);
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
