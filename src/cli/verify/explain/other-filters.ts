import { planResample } from '../../../imaging/geometry.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import type { ImagingRecipe } from '../../../imaging/recipe.ts';

/**
 * Ways to resize that no manifest can say, to tell an author that training used one. In floating
 * point, so within a level or two of the libraries' own.
 */
export interface OtherFilter {
  /** To stand after "with". */
  readonly words: string;
  readonly tap: Taps;
  /** Pillow rounds to 8 bits between its two passes. */
  readonly roundsBetween: boolean;
}

/** A source position and its share in a position of the resized axis; the shares sum to 1. */
interface Tap {
  readonly index: number;
  readonly weight: number;
}

type Taps = (position: number, scale: number, inSize: number) => Tap[];

export const otherFilters: readonly OtherFilter[] = [
  { words: "Pillow's NEAREST", tap: tapNearest, roundsBetween: true },
  { words: "Pillow's LANCZOS", tap: tapAntialiased(lanczos, 3), roundsBetween: true },
  { words: "Pillow's HAMMING", tap: tapAntialiased(hamming, 1), roundsBetween: true },
  { words: "Pillow's BOX", tap: tapAntialiased(box, 0.5), roundsBetween: true },
  {
    words: 'bilinear without antialiasing, as OpenCV and tensors are resized',
    tap: tapPlain(triangle, 1),
    roundsBetween: false,
  },
  {
    words: 'bicubic without antialiasing, as OpenCV and tensors are resized',
    tap: tapPlain(cubic, 2),
    roundsBetween: false,
  },
  { words: "OpenCV's INTER_NEAREST", tap: tapFirst, roundsBetween: false },
  { words: "OpenCV's INTER_AREA", tap: tapArea, roundsBetween: false },
];

/** The crop of `recipe` with another filter in place of its own. */
export function cropWithFilter(pixels: Pixels, recipe: ImagingRecipe, filter: OtherFilter): Pixels {
  const { x, y } = planResample(pixels.width, pixels.height, recipe);
  const { channels } = pixels;
  const round = filter.roundsBetween ? toLevel : (value: number) => value;
  const between = new Float64Array(pixels.height * x.count * channels);
  for (let column = 0; column < x.count; column++) {
    const taps = filter.tap(x.from + column, x.inSize / x.outSize, x.inSize);
    for (let row = 0; row < pixels.height; row++) {
      const from = row * pixels.width * channels;
      const to = (row * x.count + column) * channels;
      for (let channel = 0; channel < channels; channel++) {
        between[to + channel] = round(sumUp(pixels.data, from + channel, channels, taps));
      }
    }
  }
  const data = new Uint8Array(x.length * y.length * channels);
  const rowLength = x.count * channels;
  for (let row = 0; row < y.count; row++) {
    const taps = filter.tap(y.from + row, y.inSize / y.outSize, y.inSize);
    const to = ((y.to + row) * x.length + x.to) * channels;
    for (let at = 0; at < rowLength; at++) {
      data[to + at] = toLevel(sumUp(between, at, rowLength, taps));
    }
  }
  return { data, width: x.length, height: y.length, channels };
}

function sumUp(
  from: Uint8Array | Float64Array,
  offset: number,
  stride: number,
  taps: readonly Tap[],
): number {
  let sum = 0;
  for (const { index, weight } of taps) {
    sum += weight * (from[offset + index * stride] as number);
  }
  return sum;
}

function toLevel(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}

function tapNearest(position: number, scale: number, inSize: number): Tap[] {
  return [{ index: Math.min(inSize - 1, Math.floor((position + 0.5) * scale)), weight: 1 }];
}

function tapFirst(position: number, scale: number, inSize: number): Tap[] {
  return [{ index: Math.min(inSize - 1, Math.floor(position * scale)), weight: 1 }];
}

/** As Pillow: the kernel grows with the reduction, and what hangs over the edge is left out. */
function tapAntialiased(kernel: (x: number) => number, support: number): Taps {
  return (position, scale, inSize) => {
    const stretch = Math.max(1, scale);
    const centre = (position + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support * stretch + 0.5));
    const end = Math.min(inSize, Math.trunc(centre + support * stretch + 0.5));
    const taps: Tap[] = [];
    for (let index = start; index < end; index++) {
      taps.push({ index, weight: kernel((index - centre + 0.5) / stretch) });
    }
    return normalise(taps);
  };
}

/** As OpenCV: the kernel keeps its size, and the edge's pixel stands for what lies beyond. */
function tapPlain(kernel: (x: number) => number, support: number): Taps {
  return (position, scale, inSize) => {
    const centre = (position + 0.5) * scale - 0.5;
    const first = Math.floor(centre) - support + 1;
    return Array.from({ length: 2 * support }, (_, i) => ({
      index: Math.max(0, Math.min(inSize - 1, first + i)),
      weight: kernel(first + i - centre),
    }));
  };
}

/** Each source pixel counts by how much of it the target pixel covers. */
function tapArea(position: number, scale: number, inSize: number): Tap[] {
  if (scale <= 1) {
    return tapPlain(triangle, 1)(position, scale, inSize);
  }
  const [from, to] = [position * scale, Math.min(inSize, (position + 1) * scale)];
  const taps: Tap[] = [];
  for (let index = Math.floor(from); index < to; index++) {
    taps.push({ index, weight: Math.min(index + 1, to) - Math.max(index, from) });
  }
  return normalise(taps);
}

function normalise(taps: Tap[]): Tap[] {
  const sum = taps.reduce((total, { weight }) => total + weight, 0);
  return taps.map(({ index, weight }) => ({ index, weight: weight / sum }));
}

function box(x: number): number {
  return x > -0.5 && x <= 0.5 ? 1 : 0;
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

function hamming(x: number): number {
  const at = Math.abs(x) * Math.PI;
  if (at === 0) {
    return 1;
  }
  return Math.abs(x) >= 1 ? 0 : (Math.sin(at) / at) * (0.54 + 0.46 * Math.cos(at));
}

function lanczos(x: number): number {
  return Math.abs(x) >= 3 ? 0 : sinc(x) * sinc(x / 3);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Keys' cubic with a = -0.75, which OpenCV and torch use. */
function cubic(at: number): number {
  const a = -0.75;
  const x = Math.abs(at);
  if (x < 1) {
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
