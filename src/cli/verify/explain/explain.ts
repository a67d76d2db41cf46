import { OperatorError } from '../../../core/errors.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import type { ImagingRecipe } from '../../../imaging/recipe.ts';
import { type AnswerComparison, EVERY_CLASS } from '../../../inference/recorded-answer.ts';
import type { ImageService } from '../../../inference/service.ts';
import { type AnswerComparer, readRecordedImage } from '../compare-image.ts';
import type { RecordedImage } from '../recording.ts';
import { type Difference, drawDifference, measureDifference } from './difference.ts';
import { findCause } from './find-cause.ts';
import { drawPicture } from './picture.ts';
import type { RecipeChange } from './recipe-changes.ts';
import { readTheirCrop } from './their-crop.ts';
import {
  captionDifference,
  captionOurs,
  captionTheirs,
  describeCause,
  describeDifference,
  describeEqual,
  HOW_TO_RECORD,
} from './words.ts';

/** Why an answer is what it is, for people. */
export interface Explanation {
  readonly comparison: AnswerComparison;
  /** Sentences about the crop. */
  readonly text: readonly string[];
  /** What the manifest would have to say to give their crop: each entry would do. */
  readonly manifest: readonly Readonly<Record<string, unknown>>[];
  /** Between their crop and ours, where their pixels are known. */
  readonly difference: Difference | undefined;
  readonly picture: Pixels | undefined;
}

/** Throws an OperatorError when the image cannot be compared. */
export async function explainImage(
  recorded: RecordedImage,
  service: ImageService,
  compare: AnswerComparer,
): Promise<Explanation> {
  const bytes = await readRecordedImage(recorded);
  if (!bytes.ok) {
    throw new OperatorError('NO_INPUT', `${recorded.path}: ${bytes.error.detail}`);
  }
  const reply = await service.classifyImage(bytes.value, EVERY_CLASS, { returnsCrop: true });
  if (!reply.outcome.ok || reply.crop === undefined || service.model === undefined) {
    const reason = reply.outcome.ok ? 'no crop came back' : reply.outcome.error.detail;
    throw new OperatorError('DATA', `${recorded.path}: ${reason}`);
  }
  const ours = reply.crop;
  const { cropSha256 } = reply;
  const comparison = compare(recorded.answer, { ranking: reply.outcome.value, cropSha256 });
  const theirs = await readTheirCrop(recorded, ours);
  if (theirs === undefined) {
    const text = `Nothing was recorded of the crop that training made, so it cannot be compared. ${HOW_TO_RECORD}`;
    return { comparison, text: [text], manifest: [], difference: undefined, picture: undefined };
  }
  const { preprocessing, input } = service.model.manifest;
  const recipe: ImagingRecipe = { ...preprocessing, colour: input.colour };
  const isEqual = theirs.sha256 === cropSha256;
  const cause = isEqual ? undefined : await findCause(bytes.value, recipe, ours, theirs);
  const pixels = isEqual ? ours : (theirs.pixels ?? cause?.exact[0]?.crop);
  const difference = pixels && measureDifference(pixels, ours);
  const text = [
    ...(difference === undefined ? [] : [describeDifference(difference)]),
    ...(cause === undefined ? [describeEqual(comparison)] : describeCause(cause)),
  ];
  const isMadeAgain = !isEqual && theirs.pixels === undefined;
  return {
    comparison,
    text,
    manifest: cause?.exact.map(({ changes }) => mergeKeys(changes)) ?? [],
    difference,
    picture:
      pixels &&
      difference &&
      (await drawPicture(
        [recorded.image, ...text],
        [
          { pixels, caption: captionTheirs(comparison, isMadeAgain) },
          { pixels: ours, caption: captionOurs(comparison) },
          {
            pixels: drawDifference(pixels, ours, difference.drawnFactor),
            caption: captionDifference(difference),
          },
        ],
      )),
  };
}

function mergeKeys(changes: readonly RecipeChange[]): Readonly<Record<string, unknown>> {
  return Object.assign({}, ...changes.map(({ manifest }) => manifest));
}
