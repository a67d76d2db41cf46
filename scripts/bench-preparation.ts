/**
 * `npm run bench:preparation`: CPU time of an image's way from JPEG bytes to tensor, whole and in its
 * parts, for photos of 0.2 and of 12 megapixel. Everything is measured in turns within one run, and
 * frees its memory itself: what is left to the collector would be counted at another's turn.
 */
import { join } from 'node:path';
import Table from 'cli-table3';
import { freeMemory } from '../src/core/free-memory.ts';
import { decodeImage } from '../src/imaging/decode.ts';
import type { Pixels } from '../src/imaging/pixels.ts';
import { createPortablePreparer } from '../src/imaging/portable-preparer.ts';
import type { Preparer } from '../src/imaging/preparation.ts';
import { probeImage } from '../src/imaging/probe.ts';
import type { ImagingRecipe, Interpolation } from '../src/imaging/recipe.ts';
import { resampleCrop } from '../src/imaging/resample.ts';
import { loadSharp } from '../src/imaging/sharp.ts';
import { createTensorFiller } from '../src/imaging/tensor.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { median } from './bench/measurement.ts';
import { makeLargeJpeg, makeSmallJpegs } from './bench/preparation-photos.ts';
import { measureInTurns } from './bench/turns.ts';

const SIDE = 224;
const target = new Float32Array(3 * SIDE * SIDE);
const tensor = {
  layout: 'nchw',
  colour: 'rgb',
  elementType: 'float32',
  normalise: { divideBy: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as const;
const recipe = (interpolation: Interpolation): ImagingRecipe => ({
  colour: 'rgb',
  exifOrientation: 'ignore',
  resize: { mode: 'short-side', size: 256, rounding: 'truncate' },
  interpolation,
  pillow: '>=13',
  crop: { width: SIDE, height: SIDE, offset: 'half-even' },
});
const bilinear = recipe('bilinear');
const bicubic = recipe('bicubic');
const fillTensor = createTensorFiller(tensor);

const small = await makeSmallJpegs(
  join(readPackageInfo().root, 'models/efficientnet-lite0/golden'),
);
const large = await makeLargeJpeg(small);
// From here on sharp reads nothing but JPEG.
const sharp = await loadSharp();

async function decode(jpeg: Uint8Array): Promise<Pixels> {
  const header = probeImage(jpeg);
  if (!header.ok) throw new Error(header.error.detail);
  const pixels = await decodeImage(jpeg, header.value, {
    colour: 'rgb',
    exifOrientation: 'ignore',
  });
  if (!pixels.ok) throw new Error(pixels.error.detail);
  return pixels.value;
}

function resample(pixels: Pixels, how: ImagingRecipe): void {
  freeMemory(resampleCrop(pixels, how).data);
}

/** The whole way of one image. */
function goWhole(preparer: Preparer): (jpeg: Uint8Array) => Promise<void> {
  return async (jpeg) => {
    const header = probeImage(jpeg);
    if (!header.ok) throw new Error(header.error.detail);
    const prepared = await preparer.prepare(jpeg, header.value, target, false);
    if (!prepared.ok) throw new Error(prepared.error.detail);
  };
}
const goPortable = {
  bilinear: goWhole(createPortablePreparer({ recipe: bilinear, tensor })),
  bicubic: goWhole(createPortablePreparer({ recipe: bicubic, tensor })),
};

/** With what exact pixels need, and nothing around it. */
async function decodeBySharp(jpeg: Uint8Array): Promise<void> {
  const options = { failOn: 'none', ignoreIcc: true, sequentialRead: true } as const;
  freeMemory(await sharp(jpeg, options).raw().toBuffer());
}

async function measure(jpegs: readonly Buffer[], rounds: number, repeat: number) {
  const decoded = await Promise.all(jpegs.map(decode));
  const crops = decoded.map((pixels) => resampleCrop(pixels, bicubic));
  const jpeg = (i: number) => jpegs[i] as Buffer;
  const pixels = (i: number) => decoded[i] as Pixels;
  return measureInTurns(
    {
      "sharp's decode alone": (i) => decodeBySharp(jpeg(i)),
      'resampler alone, bilinear': (i) => resample(pixels(i), bilinear),
      'resampler alone, bicubic': (i) => resample(pixels(i), bicubic),
      'tensor alone': (i) => fillTensor(crops[i] as Pixels, target),
      'whole portable way, bilinear': (i) => goPortable.bilinear(jpeg(i)),
      'whole portable way, bicubic': (i) => goPortable.bicubic(jpeg(i)),
    },
    { rounds, photos: jpegs.length, repeat },
  );
}

process.stderr.write('measuring photos of 500 x 375 ...\n');
const smallMs = await measure(small, 20, 6);
process.stderr.write('measuring a photo of 4000 x 3000 ...\n');
const largeMs = await measure([large], 8, 2);

const names = Object.keys(smallMs) as (keyof typeof smallMs)[];
const kilobytes = (jpegs: readonly Buffer[]) =>
  (jpegs.reduce((sum, { length }) => sum + length, 0) / jpegs.length / 1000).toFixed(0);
const table = new Table({
  head: [
    'CPU ms an image',
    `500 x 375, ${kilobytes(small)} kB`,
    `4000 x 3000, ${kilobytes([large])} kB`,
  ],
  colAligns: ['left', 'right', 'right'],
  style: { head: [], border: [] },
});
for (const name of names) {
  table.push([name, median(smallMs[name]).toFixed(2), median(largeMs[name]).toFixed(1)]);
}
console.log(table.toString());

for (const filter of ['bilinear', 'bicubic'] as const) {
  const ratio = (ms: typeof smallMs) =>
    median(
      ms[`whole portable way, ${filter}`].map(
        (whole, round) =>
          whole /
          ((ms["sharp's decode alone"][round] ?? Number.NaN) +
            (ms[`resampler alone, ${filter}`][round] ?? Number.NaN)),
      ),
    ).toFixed(3);
  console.log(
    `whole portable way / (sharp's decode + resampler), ${filter}: ${ratio(smallMs)} and ${ratio(largeMs)}`,
  );
}
