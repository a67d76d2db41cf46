import { describe, expect, test } from 'vitest';
import { planResample } from '../../src/imaging/geometry.ts';
import { createNativeJob } from '../../src/imaging/native-job.ts';
import { loadNativeBindings, type NativeBindings } from '../../src/platform/native-bindings.ts';
import { createRandom } from '../support/mutate.ts';

const loaded = loadNativeBindings();

interface Resize {
  readonly width: number;
  readonly height: number;
  readonly outWidth: number;
  readonly outHeight: number;
  readonly channels: 1 | 3;
  readonly interpolation: 'bilinear' | 'bicubic';
  readonly pillow: '<13' | '>=13';
}

function resize(bindings: NativeBindings, pixels: Uint8Array, how: Resize): Uint8Array {
  const { width, height, outWidth, outHeight, channels, interpolation, pillow } = how;
  const plan = planResample(width, height, {
    resize: { mode: 'stretch', width: outWidth, height: outHeight },
    pillow,
  });
  const crop = new Uint8Array(outWidth * outHeight * channels);
  const job = createNativeJob(
    { width, height, orientation: 1 },
    plan,
    {
      interpolation,
      channels,
      layout: 'nhwc',
      colour: channels === 1 ? 'grey' : 'rgb',
      tensorTable: new Uint8Array(256 * channels),
    },
    new Uint8Array(crop.length),
    crop,
  );
  bindings.preparePixels(pixels, ...job);
  return crop;
}

describe.skipIf(!loaded.ok)("the addon's kernels", () => {
  if (!loaded.ok) return;
  const bindings = loaded.value;

  test('end with the one that every processor has', () => {
    expect(bindings.kernels.at(-1)).toBe('scalar');
  });

  test('are refused by other names', () => {
    expect(() => bindings.useKernel('AVX-1024')).toThrow(RangeError);
  });

  const random = createRandom(3);
  // Extremes of black and white overshoot most with bicubic weights.
  const noise = Uint8Array.from({ length: 1500 * 90 * 3 }, () =>
    random(4) === 0 ? random(256) : random(2) * 255,
  );

  // Most sides are small, where vectors reach beyond the ends; some are shrunk a lot.
  function chooseResize(round: number): Resize {
    return {
      width: 1 + random(round % 10 === 0 ? 1500 : 90),
      height: 1 + random(round % 10 === 1 ? 1500 : 90),
      outWidth: 1 + random(90),
      outHeight: 1 + random(90),
      channels: random(2) === 0 ? 1 : 3,
      interpolation: random(2) === 0 ? 'bilinear' : 'bicubic',
      pillow: random(2) === 0 ? '<13' : '>=13',
    };
  }

  test.each(bindings.kernels.slice(0, -1))('%s gives the pixels of the plain one', (kernel) => {
    for (let round = 0; round < 300; round++) {
      const how = chooseResize(round);
      const pixels = noise.subarray(0, how.width * how.height * how.channels);
      bindings.useKernel('scalar');
      const expected = resize(bindings, pixels, how);
      bindings.useKernel(kernel);
      const found = resize(bindings, pixels, how);
      expect(Buffer.compare(found, expected), JSON.stringify(how)).toBe(0);
    }
  });
});
