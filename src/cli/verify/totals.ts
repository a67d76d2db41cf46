import type { ImageOutcome } from './compare-image.ts';

interface LargestDifference {
  readonly image: string;
  readonly name: string;
  readonly difference: number;
}

/** What all images together come to. */
export interface Totals {
  agree: number;
  differ: number;
  /** Images that could not be compared. */
  failed: number;
  /** Of those compared that have a recorded crop. */
  cropsEqual: number;
  cropsDiffer: number;
  /** Images whose first class is another one. */
  flipped: number;
  largest: LargestDifference | undefined;
  /** The first image that differs, in the recording's order. */
  firstDifferent: string | undefined;
}

export function createTotals(): Totals {
  return {
    agree: 0,
    differ: 0,
    failed: 0,
    cropsEqual: 0,
    cropsDiffer: 0,
    flipped: 0,
    largest: undefined,
    firstDifferent: undefined,
  };
}

export function addOutcome(totals: Totals, outcome: ImageOutcome): void {
  if ('error' in outcome) {
    totals.failed++;
    return;
  }
  const { image, comparison } = outcome;
  const { agrees, isCropEqual, isSameClass, largest, largestDifference } = comparison;
  totals.agree += agrees ? 1 : 0;
  totals.differ += agrees ? 0 : 1;
  totals.cropsEqual += isCropEqual === true ? 1 : 0;
  totals.cropsDiffer += isCropEqual === false ? 1 : 0;
  totals.flipped += isSameClass ? 0 : 1;
  if (!agrees) {
    totals.firstDifferent ??= image;
  }
  // A class that is unknown here has no difference (NaN), and is told of in the image's own row.
  if (!Number.isNaN(largestDifference) && largestDifference >= (totals.largest?.difference ?? 0)) {
    totals.largest = { image, name: largest.name, difference: largestDifference };
  }
}
