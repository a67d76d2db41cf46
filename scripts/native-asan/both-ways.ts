import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { PreparationOptions, Preparer } from '../../src/imaging/preparation.ts';
import { checkSides, probeImage } from '../../src/imaging/probe.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { createRandom, mutate } from '../../test/support/mutate.ts';
import { mutatePngRows } from '../../test/support/png-file.ts';

const side = 64;
const crop = { width: side, height: side, offset: 'half-even' } as const;

/** Recipes that between them take every way through the resampler and the tensor's filling. */
export const recipes: readonly ImagingRecipe[] = [
  {
    colour: 'rgb',
    exifOrientation: 'ignore',
    resize: { mode: 'short-side', size: 72, rounding: 'truncate' },
    crop,
    interpolation: 'bicubic',
    pillow: '>=13',
  },
  {
    colour: 'bgr',
    exifOrientation: 'apply',
    resize: { mode: 'stretch', width: side, height: side },
    interpolation: 'bilinear',
    pillow: '<13',
  },
  {
    colour: 'grey',
    exifOrientation: 'apply',
    resize: { mode: 'letterbox', width: side, height: side, fill: 114 },
    interpolation: 'bicubic',
    pillow: '>=13',
  },
  {
    colour: 'rgb',
    exifOrientation: 'apply',
    resize: { mode: 'short-side', size: 40, rounding: 'round' },
    crop,
    interpolation: 'bilinear',
    pillow: '>=13',
  },
];

export function optionsFor(recipe: ImagingRecipe): PreparationOptions {
  const { colour } = recipe;
  return { recipe, tensor: { layout: 'nhwc', colour, elementType: 'uint8' } };
}

const SCAN = Buffer.of(0xff, 0xda);
const END = Buffer.of(0xff, 0xd9);

/** The progressive files, cut off before one of their scans and ended: none of it is damaged. */
function* cutProgressives(files: Iterable<[string, Uint8Array]>): Generator<[string, Uint8Array]> {
  for (const [name, file] of files) {
    const bytes = Buffer.from(file);
    let at = name.includes('progressive') ? bytes.indexOf(SCAN) : -1;
    for (let scans = 1; at !== -1; scans++) {
      at = bytes.indexOf(SCAN, at + 1);
      if (at !== -1)
        yield [`${name} after scan ${scans}`, Buffer.concat([bytes.subarray(0, at), END])];
    }
  }
}

/** The reference vectors' files, good ones and refused ones, and progressive ones that lack scans. */
export function readFixtures(): ReadonlyMap<string, Uint8Array> {
  const folder = new URL('../../test/fixtures/imaging/', import.meta.url);
  const names = readdirSync(folder).filter((name) => /\.(jpg|png|bmp)$/.test(name));
  const files = names.map((name): [string, Uint8Array] => [
    name,
    readFileSync(new URL(name, folder)),
  ]);
  return new Map([...files, ...cutProgressives(files)]);
}

/** `count` damaged files, the same for the same seed; names say what was damaged. */
export function* mutateFixtures(count: number, seed: number): Generator<[string, Uint8Array]> {
  const random = createRandom(seed);
  const originals = [...readFixtures()];
  for (let i = 0; i < count; i++) {
    const [name, bytes] = originals[i % originals.length] as [string, Uint8Array];
    // Of a PNG's faults nearly all end at its checksums; those in the rows come farther.
    const rows = name.endsWith('.png') && random(2) === 0 && mutatePngRows(bytes, random);
    yield [`mutation ${i} of ${name}`, rows || mutate(bytes, random)];
  }
}

/** What a way makes of a file: a code, or the digest of its tensor. */
export async function judge(
  preparer: Preparer,
  bytes: Uint8Array,
  channels: 1 | 3,
): Promise<string> {
  const header = probeImage(bytes);
  if (!header.ok) return header.error.code;
  const sides = checkSides(header.value);
  if (sides !== undefined) return sides.code;
  const tensor = new Uint8Array(side * side * channels);
  const prepared = await preparer.prepare(bytes, header.value, tensor, false);
  return prepared.ok ? createHash('sha256').update(tensor).digest('hex') : prepared.error.code;
}
