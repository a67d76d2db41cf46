import { OperatorError } from '../../../core/errors.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import type { ImagingRecipe } from '../../../imaging/recipe.ts';
import { type AnswerComparison, EVERY_CLASS } from '../../../inference/recorded-answer.ts';
import type { ImageService } from '../../../inference/service.ts';
import { type AnswerComparer, readRecordedImage } from '../compare-image.ts';
import type { RecordedImage } from '../recording.ts';
import { type Difference, drawDifference, measureDifference } from './difference.ts';
import { type Cause, findCause } from './find-cause.ts';
import { findScoreCause, type ScoreCause } from './find-score-cause.ts';
import { drawPicture } from './picture.ts';
import { mergeKeys } from './recipe-changes.ts';
import { readTheirCrop } from './their-crop.ts';
import {
  captionDifference,
  captionOurs,
  captionTheirs,
  describeCause,
  describeDifference,
  describeEqual,
  describeScoreCause,
  HOW_TO_RECORD,
} from './words.ts';

/** Why an answer is what it is, for people. */
export interface Explanation {
  readonly comparison: AnswerComparison;
  /** Sentences about the crop, and about the scores that are made of it. */
  readonly text: readonly string[];
  /** What the manifest would have to say to answer as recorded, as far as found: each entry would do. */
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
  const { manifest } = service.model;
  const explainScores = async (crop: Pixels | undefined) =>
    crop === undefined || comparison.agrees
      ? undefined
      : findScoreCause(crop, manifest, recorded.answer, service, compare);
  if (theirs === undefined) {
    const scoreCause = await explainScores(ours);
    const text = [
      `Nothing was recorded of the crop that training made, so it cannot be compared. ${HOW_TO_RECORD}`,
      // Only a hit proves the crop as well.
      ...(scoreCause?.best?.isMet === true ? describeScoreCause(scoreCause) : []),
    ];
    const found = listManifests(undefined, scoreCause);
    return { comparison, text, manifest: found, difference: undefined, picture: undefined };
  }
  const { preprocessing, input } = manifest;
  const recipe: ImagingRecipe = { ...preprocessing, colour: input.colour };
  const isEqual = theirs.sha256 === cropSha256;
  const cause = isEqual ? undefined : await findCause(bytes.value, recipe, ours, theirs);
  const pixels = isEqual ? ours : (theirs.pixels ?? cause?.exact[0]?.crop);
  const difference = pixels && measureDifference(pixels, ours);
  const scoreCause = await explainScores(pixels);
  const text = [
    ...(difference === undefined ? [] : [describeDifference(difference)]),
    ...(cause === undefined ? [describeEqual(comparison)] : describeCause(cause)),
    ...(scoreCause === undefined ? [] : describeScoreCause(scoreCause)),
  ];
  const isMadeAgain = !isEqual && theirs.pixels === undefined;
  return {
    comparison,
    text,
    manifest: listManifests(cause, scoreCause),
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

/** Whole sets of keys: one for each way to the crop, with what the scores need beside. */
function listManifests(
  cause: Cause | undefined,
  scoreCause: ScoreCause | undefined,
): Explanation['manifest'] {
  const otherScores = scoreCause?.best?.isMet === true ? scoreCause.best.change.manifest : {};
  const crops = cause?.exact.map(({ changes }) => mergeKeys(changes)) ?? [];
  return (crops.length > 0 ? crops : [{}])
    .map((keys) => ({ ...keys, ...otherScores }))
    .filter((keys) => Object.keys(keys).length > 0);
}
