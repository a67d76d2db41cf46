import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PreparationOptions } from '../../src/imaging/preparation.ts';
import type { ImagingRecipe, Resize } from '../../src/imaging/recipe.ts';
import type { TensorOptions } from '../../src/imaging/tensor.ts';
import { prepareFile, type Way, ways } from '../support/imaging-ways.ts';

const fixtures = new URL('../fixtures/imaging/', import.meta.url);
const [portable, ...others] = ways;
if (portable === undefined) throw new Error('there is always the portable way');

const normalise = { divideBy: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const ofOneChannel = { divideBy: 255, mean: [0.45], std: [0.22] };

const resizes: readonly (Resize & { readonly crop?: boolean })[] = [
  { mode: 'short-side', size: 96, rounding: 'truncate', crop: true },
  { mode: 'short-side', size: 40, rounding: 'round', crop: true },
  { mode: 'stretch', width: 80, height: 64 },
  { mode: 'letterbox', width: 80, height: 64, fill: 114 },
];

const tensors: readonly Pick<TensorOptions, 'layout' | 'colour' | 'elementType'>[] = (
  ['nchw', 'nhwc'] as const
).flatMap((layout) =>
  (['rgb', 'bgr', 'grey'] as const).flatMap((colour) =>
    (['float32', 'float16', 'uint8'] as const).map((elementType) => ({
      layout,
      colour,
      elementType,
    })),
  ),
);

function optionsOf(
  tensor: (typeof tensors)[number],
  { crop, ...resize }: (typeof resizes)[number],
  interpolation: ImagingRecipe['interpolation'],
): PreparationOptions {
  return {
    recipe: {
      colour: tensor.colour,
      exifOrientation: 'apply',
      resize,
      interpolation,
      pillow: '>=13',
      ...(crop === true ? { crop: { width: 80, height: 64, offset: 'half-even' } } : {}),
    },
    tensor: {
      ...tensor,
      normalise:
        tensor.elementType === 'uint8'
          ? undefined
          : tensor.colour === 'grey'
            ? ofOneChannel
            : normalise,
    },
  };
}

const files = [
  'jpeg-420.jpg',
  'jpeg-420-progressive.jpg',
  'jpeg-exif-6.jpg',
  'jpeg-grey.jpg',
  'jpeg-cmyk.jpg',
  'png-2-8.png',
  'bmp-24-37x29.bmp',
];

/** SHA-256 of the tensor's bytes; comparing 15,000 numbers by their names would take a second. */
async function digest(way: Way, bytes: Uint8Array, options: PreparationOptions): Promise<string> {
  const outcome = await prepareFile(way, bytes, options, 80, 64);
  if (!outcome.ok) throw new Error(outcome.error.detail);
  const { buffer, byteOffset, byteLength } = outcome.value.tensor;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

describe.each(others)('$name gives the tensors of the portable way', (way) => {
  describe.each(files)('%s', (file) => {
    const bytes = readFileSync(new URL(file, fixtures));

    test.each(tensors)('$layout $colour $elementType', async (tensor) => {
      for (const resize of resizes) {
        for (const interpolation of ['bilinear', 'bicubic'] as const) {
          const options = optionsOf(tensor, resize, interpolation);
          const [expected, found] = await Promise.all([
            digest(portable, bytes, options),
            digest(way, bytes, options),
          ]);
          expect(found).toBe(expected);
        }
      }
    });
  });
});
