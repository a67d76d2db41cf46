import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Cause,
  describeChanges,
  findCause,
  hashPixels,
} from '../../src/cli/verify/explain/find-cause.ts';
import { decodeImage } from '../../src/imaging/decode.ts';
import type { Pixels } from '../../src/imaging/pixels.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { resampleCrop } from '../../src/imaging/resample.ts';
import { packageRoot } from '../support/server.ts';

/** What Pillow, OpenCV and torchvision made of one photo: scripts/export-reference. */
const fixtures = join(packageRoot, 'test/fixtures/verify');
const { image, recipe, crops } = JSON.parse(
  readFileSync(join(fixtures, 'causes.json'), 'utf8'),
) as { image: string; recipe: ImagingRecipe; crops: Record<string, string> };
const photo = readFileSync(join(fixtures, 'photos', image));
const ours = await prepare();

async function prepare(): Promise<Pixels> {
  const header = probeImage(photo);
  expect(header.ok).toBe(true);
  const pixels = header.ok
    ? await decodeImage(photo, header.value, { colour: 'rgb', exifOrientation: 'ignore' })
    : header;
  if (!pixels.ok) {
    throw new Error(pixels.error.detail);
  }
  return resampleCrop(pixels.value, recipe);
}

function explain(name: string, keepsPixels: boolean): Promise<Cause> {
  const data = Buffer.from(crops[name] ?? '', 'base64');
  const pixels: Pixels = { ...ours, data };
  expect(data).toHaveLength(ours.data.length);
  return findCause(photo, recipe, ours, {
    sha256: hashPixels(pixels),
    pixels: keepsPixels ? pixels : undefined,
  });
}

function firstWords({ exact }: Cause): string | undefined {
  return exact[0] && describeChanges(exact[0].changes);
}

describe('what a manifest can say is found by the hash alone:', () => {
  test.each([
    ['bilinear', 'bilinear in place of bicubic'],
    ['rounded', 'the long side rounded'],
    ['floor', "the crop's offset rounded down"],
    ['exif', 'the EXIF orientation applied'],
    ['stretched', 'the picture stretched to 24 x 24'],
    ['letterboxed', 'the picture fitted into 24 x 24 with bars of level 114'],
    ['other-short-side', 'the short side resized to 30'],
    ['exif-bilinear', 'bilinear in place of bicubic and the EXIF orientation applied'],
    ['bgr', 'red and blue exchanged, as OpenCV reads pictures'],
  ])('%s', async (name, words) => {
    expect(firstWords(await explain(name, false))).toBe(words);
  });
});

describe('what no manifest can say is found by the pixels:', () => {
  test.each([
    ['lanczos', "Pillow's LANCZOS"],
    ['nearest', "Pillow's NEAREST"],
    ['box', "Pillow's BOX"],
    ['hamming', "Pillow's HAMMING"],
    ['opencv-linear', 'bilinear without antialiasing, as OpenCV and tensors are resized'],
    [
      'opencv-linear-bgr',
      'bilinear without antialiasing, as OpenCV and tensors are resized and red and blue exchanged, as OpenCV reads pictures',
    ],
    ['opencv-cubic', 'bicubic without antialiasing, as OpenCV and tensors are resized'],
    ['opencv-area', "OpenCV's INTER_AREA"],
    ['opencv-nearest', "OpenCV's INTER_NEAREST"],
  ])('%s', async (name, words) => {
    const { exact, nearest } = await explain(name, true);
    expect(exact).toEqual([]);
    expect(nearest).toMatchObject({ words, isExpressible: false });
    expect(nearest?.difference.largest).toBeLessThanOrEqual(2);
  });

  test('a tensor resized in place of the picture', async () => {
    const { exact, nearest } = await explain('tensor', true);
    expect(exact).toEqual([]);
    expect(nearest).toMatchObject({ words: 'nothing changed', difference: { largest: 1 } });
  });
});

test('what was not tried is called by no name', async () => {
  expect(await explain('flipped', false)).toEqual({ exact: [] });
  const { exact, nearest } = await explain('flipped', true);
  expect(exact).toEqual([]);
  expect(nearest?.difference.largest).toBeGreaterThan(50);
});

test('every way that was recorded is in one of the lists above', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  for (const name of Object.keys(crops)) {
    expect(source).toContain(`'${name}'`);
  }
});
