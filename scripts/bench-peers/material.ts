import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadModelPackage, type ModelPackage } from '../../src/catalog/model-package.ts';
import { chooseVariant } from '../../src/catalog/variants.ts';
import type { Result } from '../../src/core/result.ts';
import { readCpuFeatures } from '../../src/platform/cpu-features.ts';
import { readPackageInfo } from '../../src/platform/package-info.ts';
import { loadPhotos } from '../bench/photos.ts';
import { compareAnswers, SCORE_TOLERANCE } from './answers.ts';
import type { ClassScore, ModelFile } from './peer.ts';
import { cutJpegs } from './photos.ts';

const run = promisify(execFile);
const TOP_NUM = 5;
const REFERENCE = fileURLToPath(new URL('python/reference.py', import.meta.url));

/** What all servers are given alike. */
export interface Material {
  readonly labelsFile: string;
  /** float32 first. */
  readonly models: readonly MeasuredModel[];
  /** Why int8 is not among them. */
  readonly int8Problem: string | undefined;
  /** The JPEGs of about 100 kB that the load consists of, then the model's golden photos. */
  readonly photos: readonly Uint8Array[];
  readonly jpegCount: number;
  /** `photos` as bodies of requests. */
  readonly bodies: readonly Uint8Array[];
}

export interface MeasuredModel extends ModelFile {
  /** What training recorded for the golden photos, with this variant. */
  readonly recorded: readonly (readonly ClassScore[])[];
}

export async function loadMaterial(): Promise<Material> {
  const float32 = await loadVariant('float32');
  if (!float32.ok) {
    throw new Error(float32.error.join('\n'));
  }
  const int8 = await loadVariant('int8');
  const golden = await loadPhotos(float32.value);
  const jpegs = (await Promise.all(golden.map(cutJpegs))).flat();
  const photos = [...jpegs, ...golden];
  return {
    labelsFile: join(float32.value.folder, float32.value.manifest.labels.en ?? ''),
    models: [float32, int8].flatMap((loaded) => (loaded.ok ? [describeModel(loaded.value)] : [])),
    int8Problem: int8.ok ? undefined : int8.error.join('; '),
    photos,
    jpegCount: jpegs.length,
    bodies: photos.map((photo) =>
      Buffer.from(JSON.stringify({ image: photo.toBase64(), top_num: TOP_NUM })),
    ),
  };
}

async function loadVariant(variant: ModelFile['variant']): Promise<Result<ModelPackage, string[]>> {
  const folder = join(readPackageInfo().root, 'models/efficientnet-lite0');
  const cpuFeatures = await readCpuFeatures();
  return loadModelPackage(folder, (manifest) =>
    chooseVariant(manifest, variant, { device: 'cpu', hasCudaProvider: false, cpuFeatures }),
  );
}

function describeModel({ variant, modelFile, manifest }: ModelPackage): MeasuredModel {
  const recorded = manifest.golden.examples.map(({ top }) => top);
  return { variant: variant.name, path: modelFile, recorded };
}

/**
 * The answers of Pillow and onnxruntime with no server between, for each photo; an error when they
 * are not those that training recorded.
 */
export async function readReference(
  python: string,
  { photos, jpegCount, labelsFile }: Material,
  { path, recorded, variant }: MeasuredModel,
  workingFolder: string,
): Promise<ClassScore[][]> {
  await mkdir(workingFolder, { recursive: true });
  const files = await Promise.all(
    photos.map(async (photo, index) => {
      const file = join(workingFolder, `photo-${index}`);
      await writeFile(file, photo);
      return file;
    }),
  );
  const { stdout } = await run(python, ['-B', REFERENCE, ...files], {
    env: { MODEL_FILE: path, LABELS_FILE: labelsFile, THREADS: '1' },
  });
  const reference: ClassScore[][] = JSON.parse(stdout);
  for (const [index, top] of recorded.entries()) {
    const results = reference[jpegCount + index]?.slice(0, top.length) ?? [];
    const agreement = compareAnswers(top, results);
    if (!agreement.sameFirstClass || agreement.largestDifference > SCORE_TOLERANCE) {
      throw new Error(
        `python/reference.py answers golden photo ${index + 1} with ${variant} differently from training`,
      );
    }
  }
  return reference;
}
