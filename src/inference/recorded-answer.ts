import type { ModelPackage } from '../catalog/model-package.ts';
import type { Ranking } from './protocol.ts';

/** As `topCount` of a task: scores are compared class by class, so all of them are asked for. */
export const EVERY_CLASS = Number.MAX_SAFE_INTEGER;

/** A class and its score as they were recorded where the model was trained. */
interface RecordedClass {
  readonly name: string;
  /** Tells classes of the same name apart. */
  readonly index?: number;
  readonly score: number;
}

/** What training answered for an image: a golden example, or a line of an exported reference. */
export interface RecordedAnswer {
  /** SHA-256 of the uint8 crop `[H, W, C]`, before normalisation. */
  readonly cropSha256?: string;
  /** The best classes in falling order of score; at least one. */
  readonly top: readonly RecordedClass[];
}

/** One class with its score there and here; undefined where it was not recorded, or is unknown here. */
export interface ComparedClass {
  readonly name: string;
  readonly recorded: number | undefined;
  readonly here: number | undefined;
}

export interface AnswerComparison {
  /** All of the following: the crop not different, the same first class, every score close enough. */
  readonly agrees: boolean;
  /** Undefined where no crop was recorded. */
  readonly isCropEqual: boolean | undefined;
  readonly cropSha256: {
    readonly recorded: string | undefined;
    readonly here: string | undefined;
  };
  readonly isSameClass: boolean;
  /** No recorded class differs from its score here by more than the tolerance. */
  readonly isWithinTolerance: boolean;
  readonly recordedFirst: ComparedClass;
  readonly hereFirst: ComparedClass;
  /** Of the recorded classes the one whose score differs most. */
  readonly largest: ComparedClass;
  /** Of `largest`; NaN where that class is unknown here. */
  readonly largestDifference: number;
}

/** What a worker answered for an image, all classes ranked. */
interface AnswerHere {
  readonly ranking: Ranking;
  readonly cropSha256: string | undefined;
}

/**
 * Returns a function that compares answers with recorded ones class by class: places further down
 * may change where scores are nearly equal, which is no difference. A recorded name may be in any
 * language that the model has labels in. `scoreTolerance` is the largest difference that is none.
 */
export function createAnswerComparer(
  { labels }: Pick<ModelPackage, 'labels'>,
  scoreTolerance: number,
): (recorded: RecordedAnswer, here: AnswerHere) => AnswerComparison {
  const classesByName = indexClassNames(labels.values());
  const [classNames = []] = labels.values();

  return function compare({ top, cropSha256 }, { ranking, cropSha256: cropHere }) {
    const places = new Map(ranking.classIndexes.map((index, place) => [index, place]));
    const meant = top.map(({ name, index }) => {
      const known = classesByName.get(name) ?? [];
      return index !== undefined && known.includes(index) ? [index] : known;
    });
    const classes = top.map(({ name, score }, i): ComparedClass => {
      const found = (meant[i] ?? []).map((index) => places.get(index) ?? Number.NaN);
      return { name, recorded: score, here: ranking.scores[Math.min(...found)] };
    });
    const [recordedFirst] = classes;
    const largest = findLargest(classes);
    if (recordedFirst === undefined || largest === undefined) {
      throw new RangeError('expected a recorded answer with at least one class');
    }
    const firstIndex = ranking.classIndexes[0] ?? -1;
    const isSameClass = meant[0]?.includes(firstIndex) === true;
    const alsoRecorded = classes[meant.findIndex((indexes) => indexes.includes(firstIndex))];
    const isCropEqual = cropSha256 === undefined ? undefined : cropSha256 === cropHere;
    const largestDifference = differenceOf(largest);
    // Not "greater than": a NaN must count as a difference.
    const isWithinTolerance = largestDifference <= scoreTolerance;
    return {
      agrees: isCropEqual !== false && isSameClass && isWithinTolerance,
      isCropEqual,
      cropSha256: { recorded: cropSha256, here: cropHere },
      isSameClass,
      isWithinTolerance,
      recordedFirst,
      hereFirst: alsoRecorded ?? {
        name: classNames[firstIndex] ?? `class ${firstIndex}`,
        recorded: undefined,
        here: ranking.scores[0],
      },
      largest,
      largestDifference,
    };
  };
}

/** What differs, as a sentence without its full stop; undefined where nothing does. */
export function describeDifference(
  comparison: AnswerComparison,
  scoreTolerance: number,
): string | undefined {
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

/** The classes that a name can mean: names may come twice, and in several languages. */
function indexClassNames(languages: Iterable<readonly string[]>): Map<string, number[]> {
  const classes = new Map<string, number[]>();
  for (const names of languages) {
    for (const [index, name] of names.entries()) {
      const known = classes.get(name);
      if (known === undefined) {
        classes.set(name, [index]);
      } else if (!known.includes(index)) {
        known.push(index);
      }
    }
  }
  return classes;
}

function findLargest(classes: readonly ComparedClass[]): ComparedClass | undefined {
  return (
    classes.find((compared) => Number.isNaN(differenceOf(compared))) ??
    classes.toSorted((a, b) => differenceOf(b) - differenceOf(a))[0]
  );
}

function differenceOf({ recorded = Number.NaN, here = Number.NaN }: ComparedClass): number {
  return Math.abs(here - recorded);
}
