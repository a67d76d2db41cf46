import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '../catalog/model-package.ts';
import type { WorkerPool } from './pool.ts';
import {
  type AnswerComparison,
  createAnswerComparer,
  EVERY_CLASS,
  type RecordedAnswer,
} from './recorded-answer.ts';

interface GoldenExample extends RecordedAnswer {
  /** A file of the model's folder. */
  readonly image: string;
}

/** The recorded examples of a model, and by how much a score may differ from theirs. */
export function goldenExamples({ manifest }: ModelPackage): {
  readonly examples: readonly GoldenExample[];
  readonly scoreTolerance: number;
} {
  return manifest.golden;
}

export interface GoldenOutcome {
  /** What differs from the recorded answers, a sentence each: none means that this host answers as training did. */
  readonly mismatches: readonly string[];
  /** The longest that an example took, in ms. */
  readonly slowestMs: number;
}

/** Runs every golden example of a model on its pool. */
export async function runGoldenExamples(
  model: ModelPackage,
  pool: WorkerPool,
): Promise<GoldenOutcome> {
  const { examples, scoreTolerance } = goldenExamples(model);
  const compare = createAnswerComparer(model, scoreTolerance);
  const mismatches: string[] = [];
  let slowestMs = 0;
  const remaining = examples.values();

  async function runRemaining(): Promise<void> {
    for (const example of remaining) {
      const image = new Uint8Array(await readFile(join(model.folder, example.image)));
      const startedMs = performance.now();
      const { outcome, cropSha256 } = await pool.run({
        kind: 'image',
        image,
        topCount: EVERY_CLASS,
      });
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      const difference = outcome.ok
        ? describeDifference(compare(example, { ranking: outcome.value, cropSha256 }))
        : `expected an answer, got: ${outcome.error.detail}`;
      if (difference !== undefined) {
        mismatches.push(`golden example ${example.image}: ${difference}`);
      }
    }
  }

  // As many at a time as there are workers: more would only wait in memory.
  await Promise.all(Array.from({ length: pool.size }, runRemaining));
  return { mismatches: mismatches.sort(), slowestMs };

  function describeDifference(comparison: AnswerComparison): string | undefined {
    const { recordedFirst, hereFirst, largest, cropSha256 } = comparison;
    if (comparison.isCropEqual === false) {
      return `expected the crop's pixels to have SHA-256 ${cropSha256.recorded}, found ${cropSha256.here}; preprocessing differs from training`;
    }
    if (!comparison.isSameClass) {
      return `expected "${recordedFirst.name}" with ${recordedFirst.recorded} in place 1, found "${hereFirst.name}" with ${hereFirst.here}`;
    }
    return comparison.isWithinTolerance
      ? undefined
      : `expected "${largest.name}" with ${largest.recorded} (+-${scoreTolerance}), found ${largest.here ?? 'no class of that name'}`;
  }
}
