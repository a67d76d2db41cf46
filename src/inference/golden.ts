import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '../catalog/model-package.ts';
import type { WorkerPool } from './pool.ts';
import {
  createAnswerComparer,
  describeDifference,
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
        ? describeDifference(
            compare(example, { ranking: outcome.value, cropSha256 }),
            scoreTolerance,
          )
        : `expected an answer, got: ${outcome.error.detail}`;
      if (difference !== undefined) {
        mismatches.push(`golden example ${example.image}: ${difference}`);
      }
    }
  }

  // As many at a time as there are workers: more would only wait in memory.
  await Promise.all(Array.from({ length: pool.size }, runRemaining));
  return { mismatches: mismatches.sort(), slowestMs };
}
