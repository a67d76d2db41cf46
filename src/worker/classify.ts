import { createHash } from 'node:crypto';
import type { Manifest } from '../catalog/manifest.ts';
import { type Fault, fault } from '../core/errors.ts';
import { freeMemory } from '../core/free-memory.ts';
import { err, type Result } from '../core/result.ts';
import { decodeImage } from '../imaging/decode.ts';
import { checkSides, probeImage } from '../imaging/probe.ts';
import type { ImagingRecipe } from '../imaging/recipe.ts';
import { resampleCrop } from '../imaging/resample.ts';
import { createTensorFiller } from '../imaging/tensor.ts';
import type {
  ClassifyReply,
  ImageFacts,
  WorkerTask,
  WorkerTimings,
} from '../inference/protocol.ts';
import { applyActivation, createRanker } from './rank.ts';
import { type ImageRequest, parseImageRequest } from './request-body.ts';
import type { LoadedSession } from './session.ts';

type ImageTask = Exclude<WorkerTask, { kind: 'describe' }>;

/** Returns the whole way from bytes to ranked classes for one loaded model. It never rejects. */
export function createClassifier(
  session: LoadedSession,
  manifest: Manifest,
): (task: ImageTask) => Promise<ClassifyReply> {
  const recipe: ImagingRecipe = { ...manifest.preprocessing, colour: manifest.input.colour };
  const fillTensor = createTensorFiller({
    layout: manifest.input.layout,
    colour: manifest.input.colour,
    elementType: manifest.input.elementType,
    normalise: manifest.preprocessing.normalise,
  });
  const rank = createRanker(session.description.classCount);

  return async function classify(task) {
    const timings: WorkerTimings = {};
    let reply: Omit<ClassifyReply, 'timings'>;
    try {
      reply = await run(task, timings);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      reply = { outcome: err(fault('INTERNAL', `the worker failed: ${reason}`)) };
    }
    return { ...reply, timings };
  };

  async function run(
    task: ImageTask,
    timings: WorkerTimings,
  ): Promise<Omit<ClassifyReply, 'timings'>> {
    const measure = createStopwatch(timings);
    const request = readTask(task);
    measure('base64Ms');
    if (!request.ok) {
      return { outcome: request };
    }
    const { image: bytes, topNum } = request.value;

    const header = probeImage(bytes);
    if (!header.ok) {
      return { outcome: header };
    }
    const { format, width, height } = header.value;
    const image: ImageFacts = { format, bytes: bytes.length, width, height };
    const sidesFault = checkSides(header.value);
    if (sidesFault !== undefined) {
      return { image, outcome: err(sidesFault) };
    }
    const pixels = await decodeImage(bytes, header.value, {
      colour: recipe.colour === 'grey' ? 'grey' : 'rgb',
      exifOrientation: recipe.exifOrientation,
    });
    measure('decodeMs');
    if (!pixels.ok) {
      return { image, outcome: pixels };
    }
    const crop = resampleCrop(pixels.value, recipe);
    fillTensor(crop, session.input);
    freeMemory(pixels.value.data);
    freeMemory(bytes);
    measure('resampleMs');

    const scores = await session.run();
    measure('runMs');

    applyActivation(scores, manifest.output.activation);
    const outcome = rank(scores, topNum);
    measure('rankMs');
    return task.kind === 'image'
      ? { image, outcome, cropSha256: sha256(crop.data) }
      : { image, outcome };
  }
}

function readTask(task: ImageTask): Result<ImageRequest, Fault> {
  return task.kind === 'request'
    ? parseImageRequest(new Uint8Array(task.body, 0, task.byteLength))
    : { ok: true, value: { image: task.image, topNum: task.topCount } };
}

/** Returns a function that writes the milliseconds since its last call under a stage's name. */
function createStopwatch(timings: WorkerTimings): (stage: keyof WorkerTimings) => void {
  let last = performance.now();
  return (stage) => {
    const now = performance.now();
    timings[stage] = now - last;
    last = now;
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
