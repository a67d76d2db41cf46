import { join } from 'node:path';
import { listVariants } from '../../catalog/variants.ts';
import { OperatorError } from '../../core/errors.ts';
import { findImageFiles } from '../classify/image-files.ts';
import { readImage } from '../classify/read-image.ts';
import { readManifest } from '../models/manifest-file.ts';
import { buildRequest, openCaller } from './caller.ts';
import type { RefusedImage } from './report.ts';

/** More differ too little to be worth their memory: a request of each is held. */
const MAX_IMAGES = 64;

export interface LoadImages {
  /** A whole request for each image that the service answers. */
  readonly requests: readonly Buffer[];
  readonly refused: readonly RefusedImage[];
}

export interface TrialOptions {
  readonly deployName: string;
  readonly port: number;
  readonly answerTimeoutMs: number;
}

/** The files of `--images`, spread evenly over a folder that has more than are needed. */
export async function chooseImageFiles(path: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of findImageFiles([path], { found: 0, skipped: 0 })) {
    if (file.error !== undefined) {
      const { path: place, error } = file;
      throw new OperatorError('NO_INPUT', `--images ${place}: ${error.detail}`);
    }
    files.push(file.path);
  }
  if (files.length === 0) {
    throw new OperatorError(
      'NO_INPUT',
      `--images ${path}: expected .jpg, .jpeg, .png or .bmp files below it, found none`,
    );
  }
  const count = Math.min(files.length, MAX_IMAGES);
  return Array.from({ length: count }, (_, index) => {
    return files[Math.floor((index * files.length) / count)] as string;
  });
}

/** The golden examples of a model's variant, whose files the manifest's hashes vouch for. */
export async function listGoldenImages(folder: string, variant: string): Promise<string[]> {
  const manifest = await readManifest(folder);
  const variants = manifest.ok ? listVariants(manifest.value) : [];
  const examples = variants.find(({ name }) => name === variant)?.golden.examples ?? [];
  if (examples.length === 0) {
    throw new OperatorError(
      'USAGE',
      `${folder} has no golden examples to send; name a folder of images with --images`,
    );
  }
  return examples.map(({ image }) => join(folder, image));
}

/**
 * Sends each image once and keeps those that are answered: a refusal is cheap, and would make the
 * server look fast. Throws an OperatorError when none is left.
 */
export async function tryImages(
  files: readonly string[],
  { deployName, port, answerTimeoutMs }: TrialOptions,
  signal: AbortSignal,
): Promise<LoadImages> {
  const caller = await openCaller(port, answerTimeoutMs);
  const requests: Buffer[] = [];
  const refused: RefusedImage[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const image = await readImage(file);
    if (!image.ok) {
      refused.push({ file, code: image.error.code, detail: image.error.detail });
      continue;
    }
    const request = buildRequest(deployName, image.value);
    const outcome = await caller.call(request);
    if (outcome.ok) {
      requests.push(request);
    } else {
      refused.push({ file, code: outcome.reason, detail: outcome.detail });
    }
  }
  caller.close();
  if (requests.length === 0) {
    const [first] = refused;
    const example = first === undefined ? '' : `, such as ${first.file}: ${first.detail}`;
    throw new OperatorError('NO_INPUT', `none of the ${files.length} images is answered${example}`);
  }
  return { requests, refused };
}
