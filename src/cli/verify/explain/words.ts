import type { AnswerComparison, ComparedClass } from '../../../inference/recorded-answer.ts';
import { count } from '../../count.ts';
import { formatDifference } from '../report.ts';
import type { Difference } from './difference.ts';
import { type Cause, CLOSE_LEVELS, describeChanges } from './find-cause.ts';
import type { ScoreCause } from './find-score-cause.ts';
import { mergeKeys } from './recipe-changes.ts';

export const HOW_TO_RECORD =
  'Export a reference with its crops (scripts/export-reference, option --crops) to see them.';

export function describeDifference({ differingPixels, pixels, largest, mean }: Difference): string {
  return differingPixels === 0
    ? 'The crops are equal to the last bit.'
    : `${differingPixels} of ${pixels} pixels differ, by ${count(largest, 'level')} of 255 at most and ${mean.toPrecision(2)} on average.`;
}

export function describeEqual({ agrees }: AnswerComparison): string {
  return agrees ? 'The answer agrees as well.' : 'What differs comes after the crop.';
}

/** Why scores differ that were made of the same crop. */
export function describeScoreCause({ unchanged, isMet, best }: ScoreCause): string[] {
  if (isMet) {
    return ['With their crop the scores are those recorded.'];
  }
  if (best?.isMet === true) {
    return [
      `The scores are those recorded with ${best.change.words}.`,
      `If training did so, the manifest should say ${describeKeys(best.change.manifest)}.`,
    ];
  }
  const nearest =
    best === undefined
      ? ''
      : ` Nearest comes this manifest with ${best.change.words}: ${formatDifference(best.largest)} in place of ${formatDifference(unchanged)} at most.`;
  return [
    `No other way to normalise, order of colours or activation that was tried gives the recorded scores.${nearest} It may be another one, input.layout or the graph.`,
  ];
}

/** Why the crops differ and what to do, as far as that was found out. */
export function describeCause({ exact, nearest }: Cause): string[] {
  if (exact.length > 0) {
    const ways = exact.map(({ changes }) => `with ${describeChanges(changes)}`).join(', or ');
    const keys = exact.map(({ changes }) => describeKeys(mergeKeys(changes))).join(', or ');
    return [
      `Their crop is exactly what this manifest would give ${ways}.`,
      `If training did so, the manifest should say ${keys}.`,
    ];
  }
  if (nearest === undefined) {
    return [
      'Only the SHA-256 of their crop was recorded, and no other way of preparing that was tried gives it.',
      HOW_TO_RECORD,
    ];
  }
  const { words, difference, isExpressible } = nearest;
  if (difference.largest > CLOSE_LEVELS) {
    return [
      `No other way of preparing that was tried gives their crop. Nearest comes this manifest with ${words}: ${count(difference.largest, 'level')} at most, ${difference.mean.toPrecision(2)} on average.`,
    ];
  }
  const closeness =
    difference.largest === 0 ? 'exactly' : `within ${count(difference.largest, 'level')} of`;
  return [
    `Their crop is ${closeness} what this manifest would give with ${words}.`,
    isExpressible
      ? 'Such small differences come from resizing tensors in place of Pillow images, or from another JPEG decoder.'
      : 'No manifest can say that. Resize Pillow images with bilinear or bicubic in training, or expect such differences.',
  ];
}

/** `preprocessing.interpolation "bilinear" and no preprocessing.crop` */
function describeKeys(manifest: Readonly<Record<string, unknown>>): string {
  return Object.entries(manifest)
    .map(([key, value]) => (value === null ? `no ${key}` : `${key} ${JSON.stringify(value)}`))
    .join(' and ');
}

export function captionTheirs({ recordedFirst }: AnswerComparison, isMadeAgain: boolean): string[] {
  const origin = isMadeAgain
    ? 'Their crop, made again: its SHA-256 is the one recorded'
    : 'Their crop';
  return [origin, `recorded: ${formatScore(recordedFirst.name, recordedFirst.recorded)}`];
}

export function captionOurs({ hereFirst }: AnswerComparison): string[] {
  return ['Our crop', `here: ${formatScore(hereFirst.name, hereFirst.here)}`];
}

export function captionDifference({ largest, differingPixels, drawnFactor }: Difference): string[] {
  return [
    drawnFactor === 1 ? 'Difference' : `Difference, ${drawnFactor} times as bright`,
    differingPixels === 0 ? 'none' : `largest: ${count(largest, 'level')} of 255`,
  ];
}

function formatScore(name: ComparedClass['name'], score: number | undefined): string {
  return `${name} ${score?.toFixed(4) ?? ''}`;
}
