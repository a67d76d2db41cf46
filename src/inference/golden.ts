import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '../catalog/model-package.ts';
import type { WorkerPool } from './pool.ts';
import type { ClassifyReply } from './protocol.ts';

type GoldenExample = ModelPackage['manifest']['golden']['examples'][number];

/**
 * Runs every golden example of a model on its pool and returns what differs from the recorded
 * answers, a sentence each: nothing means that this host answers as training did.
 */
export async function findGoldenMismatches(
  model: ModelPackage,
  pool: WorkerPool,
): Promise<string[]> {
  const { examples, scoreTolerance } = model.manifest.golden;
  const [classNames = []] = model.labels.values();
  const mismatches: string[] = [];
  const remaining = examples.values();

  async function runRemaining(): Promise<void> {
    for (const example of remaining) {
      const image = new Uint8Array(await readFile(join(model.folder, example.image)));
      const reply = await pool.run({ kind: 'image', image, topCount: example.top.length });
      const difference = findDifference(example, reply, classNames, scoreTolerance);
      if (difference !== undefined) {
        mismatches.push(`golden example ${example.image}: ${difference}`);
      }
    }
  }

  // As many at a time as there are workers: more would only wait in memory.
  await Promise.all(Array.from({ length: pool.size }, runRemaining));
  return mismatches.sort();
}

function findDifference(
  example: GoldenExample,
  reply: ClassifyReply,
  classNames: readonly string[],
  scoreTolerance: number,
): string | undefined {
  if (!reply.outcome.ok) {
    return `expected an answer, got: ${reply.outcome.error.detail}`;
  }
  if (example.cropSha256 !== undefined && example.cropSha256 !== reply.cropSha256) {
    return `expected the crop's pixels to have SHA-256 ${example.cropSha256}, found ${reply.cropSha256}; preprocessing differs from training`;
  }
  const { classIndexes, scores } = reply.outcome.value;
  for (const [place, expected] of example.top.entries()) {
    const name = classNames[classIndexes[place] ?? -1];
    const score = scores[place] ?? Number.NaN;
    // Not "greater than": a NaN must count as a difference.
    if (name !== expected.name || !(Math.abs(score - expected.score) <= scoreTolerance)) {
      return `expected "${expected.name}" with ${expected.score} (+-${scoreTolerance}) in place ${place + 1}, found "${name}" with ${score}`;
    }
  }
  return undefined;
}
