import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../src/imaging/pixels.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { resampleCrop } from '../../src/imaging/resample.ts';
import { resampleCropPlainly } from './plain-resize.ts';

/** Noise with stretches of black and white, where a cubic overshoots. */
function noise(width: number, height: number, channels: 1 | 3): Pixels {
  const data = new Uint8Array(width * height * channels);
  let state = width * 4099 + height;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const byte = state >>> 24;
    data[i] = (i >> 6) % 3 === 0 ? (byte & 1) * 255 : byte;
  }
  return { data, width, height, channels };
}

function expectPlainResult(pixels: Pixels, recipe: ImagingRecipe): void {
  const crop = resampleCrop(pixels, recipe);
  const plain = resampleCropPlainly(pixels, recipe);
  expect([crop.width, crop.height, crop.channels]).toEqual([
    plain.width,
    plain.height,
    plain.channels,
  ]);
  // One comparison of bytes: a difference of arrays would be printed element by element.
  expect(Buffer.compare(crop.data, plain.data)).toBe(0);
}

const side = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 160 }));
const resize = fc.oneof(
  fc.record({ mode: fc.constant('stretch'), width: side, height: side }),
  fc.record({
    mode: fc.constant('letterbox'),
    width: side,
    height: side,
    fill: fc.nat({ max: 255 }),
  }),
  fc.record({
    mode: fc.constant('short-side'),
    size: fc.integer({ min: 1, max: 48 }),
    rounding: fc.constantFrom('truncate', 'round'),
  }),
);
const crop = fc.record({
  width: side,
  height: side,
  offset: fc.constantFrom('half-even', 'floor'),
});
const recipes = fc
  .record({
    resize,
    crop: fc.option(crop, { nil: undefined }),
    interpolation: fc.constantFrom('bilinear', 'bicubic'),
    pillow: fc.constantFrom('<13', '>=13'),
  })
  .map(
    ({ crop, ...rest }) =>
      ({
        ...rest,
        colour: 'rgb',
        exifOrientation: 'ignore',
        ...(crop && { crop }),
      }) as ImagingRecipe,
  );

function stretch(width: number, height: number, pillow: '<13' | '>=13' = '>=13'): ImagingRecipe {
  return {
    colour: 'rgb',
    exifOrientation: 'ignore',
    resize: { mode: 'stretch', width, height },
    interpolation: 'bicubic',
    pillow,
  };
}

function shortSide(size: number, cropSide: number): ImagingRecipe {
  return {
    ...stretch(0, 0),
    resize: { mode: 'short-side', size, rounding: 'truncate' },
    crop: { width: cropSide, height: cropSide, offset: 'half-even' },
  };
}

describe('resampleCrop', () => {
  it('makes the pixels of the plain definition, whatever the sides and the recipe', () => {
    const image = fc.record({ width: side, height: side, channels: fc.constantFrom(1, 3) });
    fc.assert(
      fc.property(image, recipes, ({ width, height, channels }, recipe) => {
        expectPlainResult(noise(width, height, channels as 1 | 3), recipe);
      }),
      { numRuns: 800, seed: 20_261_122 },
    );
  });

  it.each([
    ['one row', 4096, 1, stretch(224, 3)],
    ['one column', 1, 4096, stretch(3, 224)],
    ['the flattest image', 4096, 15, shortSide(20, 16)],
    ['the tallest image', 15, 4096, shortSide(20, 16)],
    ['the tallest image, vertical pass first by the old rule', 15, 1600, stretch(31, 33, '<13')],
    ['vertical pass only', 60, 700, stretch(60, 90)],
    ['horizontal pass only', 700, 60, stretch(90, 60)],
    ['hundreds of rows that make one', 300, 3000, stretch(40, 2)],
    ['hundreds of columns that make one', 3000, 300, stretch(2, 40)],
    ['more rows of one than the memory usually holds', 600, 3000, stretch(33, 2)],
    ['a photo', 500, 375, shortSide(256, 224)],
    ['enlarging', 20, 17, stretch(500, 401)],
    ['enlarging one way', 900, 17, stretch(300, 401)],
  ] as const)('%s', (_, width, height, recipe) => {
    for (const channels of [1, 3] as const) {
      for (const interpolation of ['bilinear', 'bicubic'] as const) {
        expectPlainResult(noise(width, height, channels), { ...recipe, interpolation });
      }
    }
  });

  it('leaves the result to the caller', () => {
    const first = resampleCrop(noise(50, 40, 3), stretch(20, 20));
    const copy = first.data.slice();
    resampleCrop(noise(40, 50, 3), stretch(20, 20));
    expect(first.data).toEqual(copy);
  });
});
