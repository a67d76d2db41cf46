import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PreparationOptions } from '../../src/imaging/preparation.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { nativeProblem, prepareFile, type Way, ways } from '../support/imaging-ways.ts';

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

const plainOptions: PreparationOptions = {
  recipe: {
    colour: 'rgb',
    exifOrientation: 'ignore',
    resize: { mode: 'stretch', width: 224, height: 224 },
    interpolation: 'bilinear',
    pillow: '>=13',
  },
  tensor: { layout: 'nchw', colour: 'rgb', elementType: 'uint8' },
};

function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as T;
}

async function cropOf(
  way: Way,
  folder: URL,
  { file, recipe, width, height }: Vector,
): Promise<Omit<Vector, 'recipe'>> {
  const tensor = { layout: 'nchw', colour: recipe.colour, elementType: 'uint8' } as const;
  const bytes = readFileSync(new URL(file, folder));
  const outcome = await prepareFile(way, bytes, { recipe, tensor }, width, height);
  if (!outcome.ok) throw new Error(`${file}: ${outcome.error.detail}`);
  const { crop } = outcome.value;
  const sha256 = createHash('sha256').update(crop.data).digest('hex');
  return { file, width: crop.width, height: crop.height, sha256 };
}

function byFile(vectors: readonly Vector[]): [string, Vector[]][] {
  return Object.entries(Object.groupBy(vectors, ({ file }) => file)).map(([file, list]) => [
    file,
    list ?? [],
  ]);
}

async function expectCrops(way: Way, folder: URL, vectors: readonly Vector[]): Promise<void> {
  const found = [];
  for (const vector of vectors)
    found.push({ ...(await cropOf(way, folder, vector)), recipe: vector.recipe });
  expect(found).toEqual(vectors);
}

test('the native ways are tested too, unless the bindings could not be built here', () => {
  const names = ways.map(({ name }) => name);
  expect(nativeProblem === undefined ? names : [...names, nativeProblem]).toContainEqual(
    expect.stringMatching(/^native, scalar$|native bindings/),
  );
});

describe.each(ways)('$name', (way) => {
  describe("crops equal Pillow's byte for byte", () => {
    test.each(byFile(current.vectors))('%s', async (_, vectors) => {
      await expectCrops(way, fixtures, vectors);
    });
  });

  describe('crops of photos equal', () => {
    test.each(byFile(current.photos))('%s', async (_, vectors) => {
      await expectCrops(way, photos, vectors);
    });
  });

  describe('crops equal those of Pillow 12, with its order of passes', () => {
    test.each(byFile(older.vectors))('%s', async (_, vectors) => {
      await expectCrops(way, fixtures, vectors);
    });

    test('the order makes a difference in these vectors', async () => {
      let different = 0;
      for (const vector of older.vectors) {
        const recipe: ImagingRecipe = { ...vector.recipe, pillow: '>=13' };
        const { sha256 } = await cropOf(way, fixtures, { ...vector, recipe });
        if (sha256 !== vector.sha256) different++;
      }
      expect(different).toBeGreaterThan(10);
    });
  });

  describe('refuses what Pillow or the contract refuses', () => {
    test.each(current.refused)('%s', async (file) => {
      const bytes = readFileSync(new URL(file, fixtures));
      const outcome = await prepareFile(way, bytes, plainOptions, 224, 224);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'IMAGE_UNREADABLE' } });
      expect(outcome.ok ? '' : outcome.error.detail).toMatch(/^(JPEG|PNG|BMP|expected)/);
    });
  });
});
