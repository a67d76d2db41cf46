import { createHash } from 'node:crypto';
import { decodeImage } from '../../../imaging/decode.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import { probeImage } from '../../../imaging/probe.ts';
import type { ImagingRecipe } from '../../../imaging/recipe.ts';
import { resampleCrop } from '../../../imaging/resample.ts';
import { type Difference, measureDifference } from './difference.ts';
import { cropWithFilter, otherFilters } from './other-filters.ts';
import { listChanges, type RecipeChange } from './recipe-changes.ts';

/** What a recipe with some changes makes of the image. */
interface Attempt {
  readonly changes: readonly RecipeChange[];
  readonly crop: Pixels;
}

export interface Cause {
  /** The fewest changes that give exactly the crop that was recorded; several ways to it may do. */
  readonly exact: readonly Attempt[];
  /** Without an exact one, where their pixels are known: of all ways the one that comes nearest. */
  readonly nearest?: {
    /** To stand after "with". */
    readonly words: string;
    readonly difference: Difference;
    /** Whether a manifest can say it. */
    readonly isExpressible: boolean;
  };
}

/** The crop that training made: its hash, and its pixels where they were kept. */
export interface TheirCrop {
  readonly sha256: string;
  readonly pixels: Pixels | undefined;
}

/** Libraries that compute the same thing another way round differ by so much, in levels. */
export const CLOSE_LEVELS = 2;

/** Kinds of change that another filter leaves without meaning, or that are too many to combine. */
const ownToFilter = new Set(['interpolation', 'pillow', 'resize']);

/**
 * Tries what training may have done otherwise, the likeliest first: one change, another filter,
 * two changes, another filter and a change. Stops where their crop is met, or nearly so.
 */
export async function findCause(
  image: Uint8Array,
  recipe: ImagingRecipe,
  ours: Pixels,
  theirs: TheirCrop,
): Promise<Cause> {
  const prepare = createPreparer(image, recipe);
  let nearest: Cause['nearest'];

  const unchanged = await prepare([]);
  if (unchanged === undefined || hashPixels(unchanged) !== hashPixels(ours)) {
    throw new Error('the worker made another crop than the portable way; please report it');
  }
  compare(unchanged, ['nothing changed'], true);
  const singles = listChanges(recipe, ours);
  const exact = await tryChanges(singles.map((change) => [change]));
  if (exact.length > 0 || isMet()) {
    return result(exact);
  }
  await tryFilters([[]]);
  if (isMet()) {
    return result([]);
  }
  const exactPairs = await tryChanges(listPairs(singles));
  if (exactPairs.length > 0) {
    return result(exactPairs);
  }
  await tryFilters(singles.filter(({ kind }) => !ownToFilter.has(kind)).map((one) => [one]));
  return result([]);

  async function tryChanges(combinations: readonly RecipeChange[][]): Promise<Attempt[]> {
    const found: Attempt[] = [];
    for (const changes of combinations) {
      const crop = await prepare(changes);
      if (crop !== undefined && hashPixels(crop) === theirs.sha256) {
        found.push({ changes, crop });
      } else {
        compare(crop, wordsOf(changes), true);
      }
    }
    return found;
  }

  async function tryFilters(combinations: readonly RecipeChange[][]): Promise<void> {
    for (const filter of theirs.pixels === undefined ? [] : otherFilters) {
      for (const changes of combinations) {
        const crop = await prepare(changes, (pixels, changed) =>
          cropWithFilter(pixels, changed, filter),
        );
        compare(crop, [filter.words, ...wordsOf(changes)], false);
      }
    }
  }

  function compare(crop: Pixels | undefined, words: readonly string[], isExpressible: boolean) {
    if (crop === undefined || theirs.pixels?.data.length !== crop.data.length) {
      return;
    }
    const difference = measureDifference(crop, theirs.pixels);
    if (difference.mean < (nearest?.difference.mean ?? Infinity)) {
      nearest = { words: words.join(' and '), difference, isExpressible };
    }
  }

  function isMet(): boolean {
    return nearest !== undefined && nearest.difference.largest <= CLOSE_LEVELS;
  }

  function result(found: readonly Attempt[]): Cause {
    return found.length > 0 || nearest === undefined ? { exact: found } : { exact: found, nearest };
  }
}

function listPairs(singles: readonly RecipeChange[]): RecipeChange[][] {
  return singles.flatMap((first, index) =>
    singles
      .slice(index + 1)
      .filter(({ kind }) => kind !== first.kind)
      .map((second) => [first, second]),
  );
}

function wordsOf(changes: readonly RecipeChange[]): string[] {
  return changes.map(({ words }) => words);
}

export function describeChanges(changes: readonly RecipeChange[]): string {
  return wordsOf(changes).join(' and ');
}

/** Returns a function that makes a crop; each way of decoding is done once. */
function createPreparer(image: Uint8Array, recipe: ImagingRecipe) {
  const decoded = new Map<string, Promise<Pixels>>();

  return async function prepare(
    changes: readonly RecipeChange[],
    resample: (pixels: Pixels, changed: ImagingRecipe) => Pixels = resampleCrop,
  ): Promise<Pixels | undefined> {
    const changed = changes.reduce<ImagingRecipe | undefined>(
      (from, change) => from && change.apply(from),
      recipe,
    );
    if (changed === undefined) {
      return undefined;
    }
    const { exifOrientation } = changed;
    const pixels = decoded.get(exifOrientation) ?? decode(image, changed);
    decoded.set(exifOrientation, pixels);
    const crop = resample(await pixels, changed);
    return changes.some(({ swapsRedAndBlue }) => swapsRedAndBlue) ? swapRedAndBlue(crop) : crop;
  };
}

async function decode(
  image: Uint8Array,
  { colour, exifOrientation }: ImagingRecipe,
): Promise<Pixels> {
  const header = probeImage(image);
  const decodedAs = colour === 'grey' ? 'grey' : 'rgb';
  const pixels = header.ok
    ? await decodeImage(image, header.value, { colour: decodedAs, exifOrientation })
    : header;
  if (!pixels.ok) {
    throw new Error(`an image that was classified cannot be decoded: ${pixels.error.detail}`);
  }
  return pixels.value;
}

function swapRedAndBlue(pixels: Pixels): Pixels {
  const data = pixels.data.slice();
  for (let at = 0; at < data.length; at += 3) {
    data[at] = pixels.data[at + 2] as number;
    data[at + 2] = pixels.data[at] as number;
  }
  return { ...pixels, data };
}

/** SHA-256 of a crop's bytes, as manifests and references record it. */
export function hashPixels({ data }: Pixels): string {
  return createHash('sha256').update(data).digest('hex');
}
