import { planResample } from '../../src/imaging/geometry.ts';
import type { Pixels } from '../../src/imaging/pixels.ts';
import type { ImagingRecipe, Interpolation } from '../../src/imaging/recipe.ts';

/** Pillow's resize from its definition: the whole image, a pass at a time, with no regard to speed. */
export function resampleCropPlainly(pixels: Pixels, recipe: ImagingRecipe): Pixels {
  const { x, y, verticalFirst, canvas, canvasFill } = planResample(
    pixels.width,
    pixels.height,
    recipe,
  );
  const { interpolation: filter } = recipe;
  const resized = verticalFirst
    ? resizeWidth(resizeHeight(pixels, y.outSize, filter), x.outSize, filter)
    : resizeHeight(resizeWidth(pixels, x.outSize, filter), y.outSize, filter);
  const { channels } = pixels;
  const out = { ...pixels, width: x.length, height: y.length };
  return generate(out, (column, row, channel) => {
    const fromX = column - x.to;
    const fromY = row - y.to;
    if (fromX >= 0 && fromX < x.count && fromY >= 0 && fromY < y.count) {
      const at = (fromY + y.from) * resized.width + fromX + x.from;
      return resized.data[at * channels + channel] ?? Number.NaN;
    }
    const onCanvas =
      column >= canvas.x &&
      column < canvas.x + canvas.w &&
      row >= canvas.y &&
      row < canvas.y + canvas.h;
    return onCanvas ? canvasFill : 0;
  });
}

function resizeWidth(pixels: Pixels, width: number, filter: Interpolation): Pixels {
  if (width === pixels.width) return pixels;
  const taps = tapsOf(pixels.width, width, filter);
  return generate({ ...pixels, width }, (column, row, channel) =>
    weigh(taps[column] ?? [], (x) => (row * pixels.width + x) * pixels.channels + channel, pixels),
  );
}

function resizeHeight(pixels: Pixels, height: number, filter: Interpolation): Pixels {
  if (height === pixels.height) return pixels;
  const taps = tapsOf(pixels.height, height, filter);
  return generate({ ...pixels, height }, (column, row, channel) =>
    weigh(taps[row] ?? [], (y) => (y * pixels.width + column) * pixels.channels + channel, pixels),
  );
}

function generate(
  { width, height, channels }: Omit<Pixels, 'data'>,
  valueAt: (column: number, row: number, channel: number) => number,
): Pixels {
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        data[(row * width + column) * channels + channel] = valueAt(column, row, channel);
      }
    }
  }
  return { data, width, height, channels };
}

/** A source position and its weight, in units of 2^-22. */
type Tap = readonly [position: number, weight: number];

function weigh(taps: readonly Tap[], indexOf: (position: number) => number, image: Pixels): number {
  let sum = 2 ** 21;
  for (const [position, weight] of taps) {
    sum += weight * (image.data[indexOf(position)] ?? Number.NaN);
  }
  return Math.max(0, Math.min(255, Math.floor(sum / 2 ** 22)));
}

function tapsOf(inSize: number, outSize: number, filter: Interpolation): Tap[][] {
  const scale = inSize / outSize;
  const stretch = Math.max(1, scale);
  const support = (filter === 'bilinear' ? 1 : 2) * stretch;
  return Array.from({ length: outSize }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(inSize, Math.trunc(centre + support + 0.5));
    const positions = Array.from({ length: end - first }, (_, k) => first + k);
    // The factor that Pillow multiplies by, and its order of additions, decide the last bit.
    const raw = positions.map((at) =>
      kernel((at - first + first - centre + 0.5) * (1 / stretch), filter),
    );
    const sum = raw.reduce((total, value) => total + value, 0);
    return positions.map((at, k) => {
      const weight = (raw[k] ?? Number.NaN) / (sum === 0 ? 1 : sum);
      return [at, Math.trunc(weight * 2 ** 22 + (weight < 0 ? -0.5 : 0.5))];
    });
  });
}

/** The triangle, and Keys' cubic with a = -0.5. */
function kernel(at: number, filter: Interpolation): number {
  const x = Math.abs(at);
  if (filter === 'bilinear') return Math.max(0, 1 - x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}
