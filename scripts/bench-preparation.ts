/**
 * `npm run bench:preparation`: CPU time of an image's way from JPEG bytes to tensor, whole and in its
 * parts, for photos of 0.2 and of 12 megapixel, and of PNGs'. Everything is measured in turns within one run, and
 * frees its memory itself: what is left to the collector would be counted at another's turn.
 */
import { join } from 'node:path';
import Table from 'cli-table3';
import { freeMemory } from '../src/core/free-memory.ts';
import { decodeImage } from '../src/imaging/decode.ts';
import { createNativePreparer } from '../src/imaging/native-preparer.ts';
import type { Pixels } from '../src/imaging/pixels.ts';
import { createPortablePreparer } from '../src/imaging/portable-preparer.ts';
import type { Preparer } from '../src/imaging/preparation.ts';
import { probeImage } from '../src/imaging/probe.ts';
import type { ImagingRecipe, Interpolation } from '../src/imaging/recipe.ts';
import { resampleCrop } from '../src/imaging/resample.ts';
import { loadSharp } from '../src/imaging/sharp.ts';
import { createTensorFiller } from '../src/imaging/tensor.ts';
import { loadNativeBindings, type NativeBindings } from '../src/platform/native-bindings.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { median } from './bench/measurement.ts';
import { makePngs, measurePngs } from './bench/png-table.ts';
import { makeLargeJpeg, makeSmallJpegs } from './bench/preparation-photos.ts';
import { createRegionDecode } from './bench/region-decode.ts';
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

const golden = join(readPackageInfo().root, 'models/efficientnet-lite0/golden');
const small = await makeSmallJpegs(golden);
const large = await makeLargeJpeg(small);
const pngs = await makePngs(golden, large);
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

type Way = (body: Body) => Promise<void>;

/** A photo as a request carries it, and as a file. */
interface Body {
  readonly jpeg: Buffer;
  readonly json: Buffer;
}

/** From a JPEG's bytes to the tensor. */
function goWhole(preparer: Preparer): (jpeg: Uint8Array) => Promise<void> {
  return async (jpeg) => {
    const header = probeImage(jpeg);
    if (!header.ok) throw new Error(header.error.detail);
    const prepared = await preparer.prepare(jpeg, header.value, target, false);
    if (!prepared.ok) throw new Error(prepared.error.detail);
  };
}

function createPortableWay(how: ImagingRecipe): Way {
  const go = goWhole(createPortablePreparer({ recipe: how, tensor }));
  return ({ jpeg }) => go(jpeg);
}

const jsonStart = '{"image":"';
const jsonEnd = '"}';

/** From base64 to the tensor. */
function createNativeWay(how: ImagingRecipe, bindings: NativeBindings): Way {
  const go = goWhole(createNativePreparer({ recipe: how, tensor }, bindings));
  const memory = new Uint8Array(8 * 1024 * 1024);
  return ({ json }) => {
    const end = json.length - jsonEnd.length;
    const length = bindings.decodeBase64(json, jsonStart.length, end, memory);
    return go(memory.subarray(0, length));
  };
}

const portable = { bilinear: createPortableWay(bilinear), bicubic: createPortableWay(bicubic) };
const bindings = loadNativeBindings();
if (!bindings.ok) {
  process.stderr.write(`${bindings.error}\n`);
}
const native = bindings.ok && {
  bilinear: createNativeWay(bilinear, bindings.value),
  bicubic: createNativeWay(bicubic, bindings.value),
};

/** With what exact pixels need, and nothing around it. */
async function decodeBySharp(jpeg: Uint8Array): Promise<void> {
  const options = { failOn: 'none', ignoreIcc: true, sequentialRead: true } as const;
  freeMemory(await sharp(jpeg, options).raw().toBuffer());
}

/** The native way's rows; none where the addon or its C counterpart cannot be built. */
function nativeTasks(bodies: readonly Body[]) {
  const jpegs = bodies.map(({ jpeg }) => jpeg);
  const inC = {
    bilinear: native ? createRegionDecode(jpegs, bilinear) : undefined,
    bicubic: native ? createRegionDecode(jpegs, bicubic) : undefined,
  };
  if (!native || inC.bilinear === undefined || inC.bicubic === undefined) return {};
  return {
    'region decode in C, bilinear': inC.bilinear,
    'region decode in C, bicubic': inC.bicubic,
    'base64 to tensor natively, bilinear': (i: number) => native.bilinear(bodies[i] as Body),
    'base64 to tensor natively, bicubic': (i: number) => native.bicubic(bodies[i] as Body),
  };
}

async function measure(jpegs: readonly Buffer[], rounds: number, repeat: number) {
  const decoded = await Promise.all(jpegs.map(decode));
  const crops = decoded.map((pixels) => resampleCrop(pixels, bicubic));
  const pixels = (i: number) => decoded[i] as Pixels;
  const bodies = jpegs.map((jpeg) => ({
    jpeg,
    json: Buffer.from(`${jsonStart}${jpeg.toString('base64')}${jsonEnd}`),
  }));
  const body = (i: number) => bodies[i] as Body;
  return measureInTurns(
    {
      ...nativeTasks(bodies),
      "sharp's decode alone": (i: number) => decodeBySharp(body(i).jpeg),
      'resampler alone, bilinear': (i: number) => resample(pixels(i), bilinear),
      'resampler alone, bicubic': (i: number) => resample(pixels(i), bicubic),
      'tensor alone': (i: number) => fillTensor(crops[i] as Pixels, target),
      'whole portable way, bilinear': (i: number) => portable.bilinear(body(i)),
      'whole portable way, bicubic': (i: number) => portable.bicubic(body(i)),
    },
    { rounds, photos: jpegs.length, repeat },
  );
}

process.stderr.write('measuring photos of 500 x 375 ...\n');
const smallMs = await measure(small, 20, 6);
process.stderr.write('measuring a photo of 4000 x 3000 ...\n');
const largeMs = await measure([large], 8, 2);

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
for (const [name, times] of Object.entries(smallMs)) {
  table.push([name, median(times).toFixed(2), median(largeMs[name] ?? []).toFixed(1)]);
}
console.log(table.toString());

/** The median, over the rounds, of one row against the sum of others in the same round. */
function ratio(ms: Record<string, number[]>, whole: string, ...parts: string[]): string {
  const at = (name: string, round: number) => ms[name]?.[round] ?? Number.NaN;
  const ratios = (ms[whole] ?? []).map(
    (value, round) => value / parts.reduce((sum, part) => sum + at(part, round), 0),
  );
  return median(ratios).toFixed(3);
}

for (const filter of ['bilinear', 'bicubic'] as const) {
  const compare = (what: string, whole: string, ...parts: string[]) =>
    console.log(
      `${what}, ${filter}: ${ratio(smallMs, whole, ...parts)} and ${ratio(largeMs, whole, ...parts)}`,
    );
  if (native) {
    compare(
      'base64 to tensor natively / region decode in C',
      `base64 to tensor natively, ${filter}`,
      `region decode in C, ${filter}`,
    );
  }
  compare(
    "whole portable way / (sharp's decode + resampler)",
    `whole portable way, ${filter}`,
    "sharp's decode alone",
    `resampler alone, ${filter}`,
  );
}

process.stderr.write('measuring PNGs ...\n');
const pngOptions = { recipe: bicubic, tensor };
const pngTable = await measurePngs(pngs, {
  'whole portable way, bicubic': goWhole(createPortablePreparer(pngOptions)),
  ...(bindings.ok && {
    'whole native way, bicubic': goWhole(createNativePreparer(pngOptions, bindings.value)),
  }),
});
console.log(pngTable);
