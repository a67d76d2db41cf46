import type { Pixels } from '../../../imaging/pixels.ts';

/** How far two crops of the same sides are apart. */
export interface Difference {
  /** Pixels of which any channel differs. */
  readonly differingPixels: number;
  readonly pixels: number;
  /** Of any channel of any pixel, in levels from 0 to 255. */
  readonly largest: number;
  /** Of all channels of all pixels, in levels. */
  readonly mean: number;
  /** How much brighter the differences are drawn: one in `CUT_OFF` reaches the full 255. */
  readonly drawnFactor: number;
}

const LEVELS = 256;
const CUT_OFF = 200;

export function measureDifference(a: Pixels, b: Pixels): Difference {
  const { channels } = a;
  const pixels = a.width * a.height;
  const histogram = new Uint32Array(LEVELS);
  let [differingPixels, largest, sum] = [0, 0, 0];
  for (let pixel = 0; pixel < pixels; pixel++) {
    let worst = 0;
    for (let at = pixel * channels; at < (pixel + 1) * channels; at++) {
      const difference = Math.abs((a.data[at] as number) - (b.data[at] as number));
      sum += difference;
      histogram[difference] = (histogram[difference] as number) + 1;
      worst = Math.max(worst, difference);
    }
    differingPixels += worst > 0 ? 1 : 0;
    largest = Math.max(largest, worst);
  }
  const samples = pixels * channels;
  let bright = largest;
  for (
    let rest = samples / CUT_OFF;
    bright > 1 && rest >= (histogram[bright] as number);
    bright--
  ) {
    rest -= histogram[bright] as number;
  }
  const drawnFactor = largest === 0 ? 1 : 2 ** Math.floor(Math.log2((LEVELS - 1) / bright));
  return { differingPixels, pixels, largest, mean: sum / samples, drawnFactor };
}

/** The absolute difference of each channel, `factor` times as bright. */
export function drawDifference(a: Pixels, b: Pixels, factor: number): Pixels {
  const data = a.data.map((level, at) =>
    Math.min(LEVELS - 1, Math.abs(level - (b.data[at] as number)) * factor),
  );
  return { ...a, data };
}
