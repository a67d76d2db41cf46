import type { Manifest } from '../../../catalog/manifest.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import { createTensorFiller, type TensorData } from '../../../imaging/tensor.ts';
import { EVERY_CLASS, type RecordedAnswer } from '../../../inference/recorded-answer.ts';
import type { ImageService } from '../../../inference/service.ts';
import type { AnswerComparer } from '../compare-image.ts';
import {
  listScoreChanges,
  type ScoreChange,
  type ScoreRecipe,
  scoreRecipeOf,
} from './score-changes.ts';

/** What became of trying other ways from the crop that training made to its scores. */
export interface ScoreCause {
  /** The largest difference from a recorded score, as the manifest has it. */
  readonly unchanged: number;
  /** Whether the manifest's own way gives the recorded answer. */
  readonly isMet: boolean;
  /** The change that comes nearest, where one comes nearer. */
  readonly best?: {
    readonly change: ScoreChange;
    readonly largest: number;
    /** Whether it gives the recorded answer. */
    readonly isMet: boolean;
  };
}

/** Runs the model on a crop with what is often done otherwise after it. */
export async function findScoreCause(
  crop: Pixels,
  manifest: Manifest,
  recorded: RecordedAnswer,
  service: ImageService,
  compare: AnswerComparer,
): Promise<ScoreCause> {
  const unchanged = await attempt(scoreRecipeOf(manifest));
  if (unchanged.isMet) {
    return { unchanged: unchanged.largest, isMet: true };
  }
  let best: ScoreCause['best'];
  for (const change of listScoreChanges(manifest)) {
    const { largest, isMet } = await attempt(change);
    if (largest < (best?.largest ?? unchanged.largest)) {
      best = { change, largest, isMet };
    }
  }
  return { unchanged: unchanged.largest, isMet: false, ...(best !== undefined && { best }) };

  async function attempt({ tensor, activation }: ScoreRecipe) {
    const elements = createElements(tensor.elementType, crop.data.length);
    createTensorFiller(tensor)(crop, elements);
    const { outcome } = await service.classifyTensor(elements, activation, EVERY_CLASS);
    if (!outcome.ok) {
      return { largest: Number.POSITIVE_INFINITY, isMet: false }; // no finite scores
    }
    const here = { ranking: outcome.value, cropSha256: undefined };
    const { largestDifference, isSameClass, isWithinTolerance } = compare(recorded, here);
    return { largest: largestDifference, isMet: isSameClass && isWithinTolerance };
  }
}

function createElements(
  elementType: ScoreRecipe['tensor']['elementType'],
  count: number,
): TensorData {
  switch (elementType) {
    case 'float32':
      return new Float32Array(count);
    case 'float16':
      return new Uint16Array(count);
    case 'uint8':
      return new Uint8Array(count);
  }
}
