import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ModelPackage } from '../../catalog/model-package.ts';
import { OperatorError } from '../../core/errors.ts';
import { goldenExamples } from '../../inference/golden.ts';
import type { RecordedAnswer } from '../../inference/recorded-answer.ts';
import { count } from '../count.ts';
import type { Reference } from './reference-file.ts';

/** An image whose answer was recorded where the model was trained. */
export interface RecordedImage {
  /** Its name in the recording. */
  readonly image: string;
  /** The file to classify. */
  readonly path: string;
  /** Of the file that was recorded; undefined where that was compared already. */
  readonly sha256?: string;
  readonly answer: RecordedAnswer;
  /** A PNG with the crop that training made; it need not exist. */
  readonly cropFile?: string;
}

/** Recorded answers: a model's golden examples or an exported reference. */
export interface Recording {
  /** What it is, to stand after "against". */
  readonly title: string;
  /** How the answers came about, where that was recorded. */
  readonly origin: string | undefined;
  readonly imageCount: number;
  /** What the images' names are relative to. */
  readonly folder: string;
  images(): AsyncIterable<RecordedImage>;
}

/** Throws an OperatorError (exit CONFIG) when the model has no golden examples. */
export function recordingOfGoldenExamples(model: ModelPackage): Recording {
  const { examples } = goldenExamples(model);
  const { folder, manifest } = model;
  if (examples.length === 0) {
    throw new OperatorError(
      'CONFIG',
      `${manifest.name} has no golden examples, so there is nothing to compare; record some as models/README.md describes, or name a reference with --reference`,
    );
  }
  async function* images(): AsyncGenerator<RecordedImage> {
    for (const example of examples) {
      yield { image: example.image, path: join(folder, example.image), answer: example };
    }
  }
  const noun =
    examples.length === 1 ? 'its golden example' : `its ${examples.length} golden examples`;
  return { title: noun, origin: undefined, imageCount: examples.length, folder, images };
}

export interface ReferenceFolders {
  /** Default: the folder that the reference lies in. */
  readonly images?: string | undefined;
  /** Default: what the reference says. */
  readonly crops?: string | undefined;
}

/** Throws an OperatorError (exit NO_INPUT) when a folder is missing. */
export async function recordingOfReference(
  { path, header, imageCount, images: readImages }: Reference,
  given: ReferenceFolders,
): Promise<Recording> {
  const folder = resolve(given.images ?? dirname(path));
  await assertFolder(folder, '--images');
  if (given.crops !== undefined) {
    await assertFolder(given.crops, '--crops');
  }
  const recordedCrops = header.crops === undefined ? undefined : join(dirname(path), header.crops);
  const crops = given.crops ?? recordedCrops;
  async function* images(): AsyncGenerator<RecordedImage> {
    for await (const { image, sha256, ...answer } of readImages()) {
      yield {
        image,
        path: join(folder, image),
        sha256,
        answer,
        ...(crops !== undefined && { cropFile: join(crops, `${image}.png`) }),
      };
    }
  }
  const versions = Object.entries(header.versions).map(([name, version]) => `${name} ${version}`);
  return {
    title: `${path} (${count(imageCount, 'image')})`,
    origin: `${header.pipeline}; scored by ${header.scoredBy}; ${versions.join(', ')}`,
    imageCount,
    folder,
    images,
  };
}

async function assertFolder(path: string, flag: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    const what = found === undefined ? 'nothing there' : 'something else';
    throw new OperatorError('NO_INPUT', `${flag} ${path}: expected a folder, found ${what}`);
  }
}
