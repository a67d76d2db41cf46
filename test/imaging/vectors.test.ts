import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/imaging/decode.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { resampleCrop } from '../../src/imaging/resample.ts';

/** One crop as Pillow makes it; written by scripts/reference-vectors. */
interface Vector {
  readonly file: string;
  readonly recipe: ImagingRecipe;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

const fixtures = new URL('../fixtures/imaging/', import.meta.url);
const photos = new URL('../../models/efficientnet-lite0/golden/', import.meta.url);

const current = readVectors<{ vectors: Vector[]; refused: string[]; photos: Vector[] }>(
  'vectors.json',
);
const older = readVectors<{ vectors: Vector[] }>('vectors-pillow12.json');

function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as T;
}

async function cropOf(folder: URL, { file, recipe }: Vector): Promise<Omit<Vector, 'recipe'>> {
  const bytes = readFileSync(new URL(file, folder));
  const header = probeImage(bytes);
  if (!header.ok) throw new Error(`${file}: ${header.error.detail}`);
  const pixels = await decodeImage(bytes, header.value, {
    colour: recipe.colour === 'grey' ? 'grey' : 'rgb',
    exifOrientation: recipe.exifOrientation,
  });
  if (!pixels.ok) throw new Error(`${file}: ${pixels.error.detail}`);
  const { data, width, height } = resampleCrop(pixels.value, recipe);
  return { file, width, height, sha256: createHash('sha256').update(data).digest('hex') };
}

function byFile(vectors: readonly Vector[]): [string, Vector[]][] {
  return Object.entries(Object.groupBy(vectors, ({ file }) => file)).map(([file, list]) => [
    file,
    list ?? [],
  ]);
}

async function expectCrops(folder: URL, vectors: readonly Vector[]): Promise<void> {
  const found = [];
  for (const vector of vectors)
    found.push({ ...(await cropOf(folder, vector)), recipe: vector.recipe });
  expect(found).toEqual(vectors);
}

describe("crops equal Pillow's byte for byte", () => {
  it.each(byFile(current.vectors))('%s', async (_, vectors) => {
    await expectCrops(fixtures, vectors);
  });
});

describe('crops of photos equal', () => {
  it.each(byFile(current.photos))('%s', async (_, vectors) => {
    await expectCrops(photos, vectors);
  });
});

describe('crops equal those of Pillow 12, with its order of passes', () => {
  it.each(byFile(older.vectors))('%s', async (_, vectors) => {
    await expectCrops(fixtures, vectors);
  });

  it('the order makes a difference in these vectors', async () => {
    let different = 0;
    for (const vector of older.vectors) {
      const recipe: ImagingRecipe = { ...vector.recipe, pillow: '>=13' };
      const { sha256 } = await cropOf(fixtures, { ...vector, recipe });
      if (sha256 !== vector.sha256) different++;
    }
    expect(different).toBeGreaterThan(10);
  });
});

describe('refuses what Pillow or the contract refuses', () => {
  it.each(current.refused)('%s', async (file) => {
    const bytes = readFileSync(new URL(file, fixtures));
    const header = probeImage(bytes);
    const outcome = header.ok
      ? await decodeImage(bytes, header.value, { colour: 'rgb', exifOrientation: 'ignore' })
      : header;
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IMAGE_UNREADABLE' } });
    expect(outcome.ok ? '' : outcome.error.detail).toMatch(/^(JPEG|PNG|BMP|expected)/);
  });
});
