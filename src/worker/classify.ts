import { createHash } from 'node:crypto';
import type { Manifest } from '../catalog/manifest.ts';
import { type Fault, fault } from '../core/errors.ts';
import { freeMemory } from '../core/free-memory.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ImagingChoice } from '../imaging/choose-preparer.ts';
import type { PreparationOptions } from '../imaging/preparation.ts';
import { checkSides, probeImage } from '../imaging/probe.ts';
import type {
  ClassifyReply,
  ImageFacts,
  WorkerTask,
  WorkerTimings,
} from '../inference/protocol.ts';
import { chooseDecoder } from './base64.ts';
import { applyActivation, createRanker } from './rank.ts';
import { createRequestReader, type ImageRequest } from './request-body.ts';
import type { LoadedSession } from './session.ts';

/** What a model's manifest says of preparing its images. */
export function describePreparation({ input, preprocessing }: Manifest): PreparationOptions {
  const { colour, layout, elementType } = input;
  return {
    recipe: { ...preprocessing, colour },
    tensor: { layout, colour, elementType, normalise: preprocessing.normalise },
  };
}

/** Returns the whole way from bytes to ranked classes for one loaded model. It never rejects. */
export function createClassifier(
  { session, imaging }: { session: LoadedSession; imaging: ImagingChoice },
  manifest: Manifest,
): (task: WorkerTask) => Promise<ClassifyReply> {
  const readRequest = createRequestReader(chooseDecoder(imaging.bindings));
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
    task: WorkerTask,
    timings: WorkerTimings,
  ): Promise<Omit<ClassifyReply, 'timings'>> {
    if (task.kind === 'tensor') {
      session.input.set(task.elements);
      const scores = await session.run();
      applyActivation(scores, task.activation);
      return { outcome: rank(scores, task.topCount) };
    }
    const measure = createStopwatch(timings);
    const request: Result<ImageRequest, Fault> =
      task.kind === 'request'
        ? readRequest(Buffer.from(task.body, 0, task.byteLength))
        : ok({ image: task.image, topNum: task.topCount });
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
    const prepared = await imaging.preparer.prepare(
      bytes,
      header.value,
      session.input,
      task.kind === 'image',
    );
    if (!prepared.ok) {
      measure('decodeMs');
      return { image, outcome: prepared };
    }
    if (task.kind === 'image') freeMemory(bytes);
    const { crop, decodeMs, resampleMs } = prepared.value;
    Object.assign(timings, { decodeMs, resampleMs });
    measure.skip();

    const scores = await session.run();
    measure('runMs');

    applyActivation(scores, manifest.output.activation);
    const outcome = rank(scores, topNum);
    measure('rankMs');
    if (crop === undefined || task.kind !== 'image') {
      return { image, outcome };
    }
    const proof = { image, outcome, cropSha256: sha256(crop.data) };
    return task.returnsCrop === true ? { ...proof, crop } : proof;
  }
}

interface Stopwatch {
  /** Writes the milliseconds since the last call under a stage's name. */
  (stage: keyof WorkerTimings): void;
  /** Passes over the time since the last call. */
  skip(): void;
}

function createStopwatch(timings: WorkerTimings): Stopwatch {
  let last = performance.now();
  const measure = (stage: keyof WorkerTimings) => {
    const now = performance.now();
    timings[stage] = now - last;
    last = now;
  };
  return Object.assign(measure, {
    skip: () => {
      last = performance.now();
    },
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
