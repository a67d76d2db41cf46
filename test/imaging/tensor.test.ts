import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { float16Bits } from '../../src/imaging/half-float.ts';
import type { Pixels } from '../../src/imaging/pixels.ts';
import type { NormaliseRecipe } from '../../src/imaging/recipe.ts';
import { createTensorFiller } from '../../src/imaging/tensor.ts';

const { tables } = JSON.parse(
  readFileSync(new URL('../fixtures/imaging/vectors.json', import.meta.url), 'utf8'),
) as { tables: { normalise: NormaliseRecipe; float32: string; float16: string }[] };

/** All byte values in each channel: 16 x 16 pixels. */
const everyByte: Pixels = {
  data: Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)),
  width: 16,
  height: 16,
  channels: 3,
};
const small: Pixels = {
  data: Uint8Array.from([1, 2, 3, 4, 5, 6]),
  width: 2,
  height: 1,
  channels: 3,
};

function sha256(data: Float32Array | Uint16Array | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

describe('normalised values', () => {
  it.each(tables)("equal numpy's for $normalise", ({ normalise, float32, float16 }) => {
    const single = new Float32Array(768);
    const options = { layout: 'nhwc', colour: 'rgb', normalise } as const;
    createTensorFiller({ ...options, elementType: 'float32' })(everyByte, single);
    expect(sha256(single)).toBe(float32);
    const half = new Uint16Array(768);
    createTensorFiller({ ...options, elementType: 'float16' })(everyByte, half);
    expect(sha256(half)).toBe(float16);
  });

  it('uint8 takes the bytes as they are', () => {
    const target = new Uint8Array(768);
    const fill = createTensorFiller({ layout: 'nhwc', colour: 'rgb', elementType: 'uint8' });
    fill(everyByte, target);
    expect(target).toEqual(everyByte.data);
  });
});

describe('layouts', () => {
  it.each([
    ['nchw', 'rgb', [1, 4, 2, 5, 3, 6]],
    ['nchw', 'bgr', [3, 6, 2, 5, 1, 4]],
    ['nhwc', 'rgb', [1, 2, 3, 4, 5, 6]],
    ['nhwc', 'bgr', [3, 2, 1, 6, 5, 4]],
  ] as const)('%s %s', (layout, colour, expected) => {
    const target = new Float32Array(6);
    createTensorFiller({ layout, colour, elementType: 'float32' })(small, target);
    expect([...target]).toEqual(expected);
  });

  it("mean and std stand in the tensor's channel order", () => {
    const target = new Float32Array(6);
    const fill = createTensorFiller({
      layout: 'nchw',
      colour: 'bgr',
      elementType: 'float32',
      normalise: { mean: [1, 10, 100], std: [1, 2, 4] },
    });
    fill(small, target);
    expect([...target]).toEqual([2, 5, -4, -2.5, -24.75, -24]);
  });

  it('places the images of a batch by offset', () => {
    const target = new Uint8Array(12);
    const fill = createTensorFiller({ layout: 'nchw', colour: 'rgb', elementType: 'uint8' });
    fill(small, target, 6);
    expect([...target]).toEqual([0, 0, 0, 0, 0, 0, 1, 4, 2, 5, 3, 6]);
  });

  it.each([
    ['nchw', 'rgb'],
    ['nchw', 'bgr'],
    ['nchw', 'grey'],
    ['nhwc', 'rgb'],
    ['nhwc', 'bgr'],
    ['nhwc', 'grey'],
  ] as const)('hold for a large crop of any element type: %s %s', (layout, colour) => {
    const channels = colour === 'grey' ? 1 : 3;
    const [width, height] = [211, 199];
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) >> 2);
    const expected = new Float32Array(data.length);
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const source = colour === 'bgr' ? 2 - channel : channel;
        const to =
          layout === 'nchw' ? channel * width * height + pixel : pixel * channels + channel;
        expected[to] = data[pixel * channels + source] ?? Number.NaN;
      }
    }
    const crop: Pixels = { data, width, height, channels };
    const float32 = new Float32Array(data.length);
    createTensorFiller({ layout, colour, elementType: 'float32' })(crop, float32);
    expect(sha256(float32)).toBe(sha256(expected));
    const float16 = new Uint16Array(data.length);
    createTensorFiller({ layout, colour, elementType: 'float16' })(crop, float16);
    expect(sha256(float16)).toBe(sha256(Uint16Array.from(expected, float16Bits)));
    const uint8 = new Uint8Array(data.length);
    createTensorFiller({ layout, colour, elementType: 'uint8' })(crop, uint8);
    expect(sha256(uint8)).toBe(sha256(Uint8Array.from(expected)));
  });

  it('refuses a target of another type, too short a target, and other channels', () => {
    const fill = createTensorFiller({ layout: 'nchw', colour: 'rgb', elementType: 'float32' });
    expect(() => fill(small, new Uint16Array(6))).toThrow(/Float32Array.*Uint16Array/);
    expect(() => fill(small, new Float32Array(5))).toThrow(/6 elements/);
    const grey: Pixels = { ...small, channels: 1 };
    expect(() => fill(grey, new Float32Array(6))).toThrow(/3 channels/);
  });

  it('refuses a mean with a wrong number of entries', () => {
    const normalise = { mean: [1, 2], std: [1] };
    expect(() =>
      createTensorFiller({ layout: 'nchw', colour: 'rgb', elementType: 'float32', normalise }),
    ).toThrow(/1 or 3 numbers for mean/);
  });
});

describe('float16Bits', () => {
  it.each([
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [1e30, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NaN, 0x7e00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2047.9999, 0x6800],
  ])('%d', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });
});
