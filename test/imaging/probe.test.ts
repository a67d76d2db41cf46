import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/imaging/decode.ts';
import { checkSides, probeImage } from '../../src/imaging/probe.ts';
import { bombs } from './bombs.ts';

const fixtures = new URL('../fixtures/imaging/', import.meta.url);

function fixture(name: string): Buffer {
  return readFileSync(new URL(name, fixtures));
}

describe('probeImage', () => {
  it.each([
    ['jpeg-127x131.jpg', { format: 'jpeg', width: 127, height: 131, components: 3 }],
    ['jpeg-grey.jpg', { format: 'jpeg', width: 120, height: 91, components: 1 }],
    ['jpeg-ycck.jpg', { format: 'jpeg', width: 83, height: 61, components: 4 }],
    ['png-17x333.png', { format: 'png', width: 17, height: 333, bitDepth: 8, colourType: 2 }],
    ['png-3-4-interlaced.png', { format: 'png', bitDepth: 4, colourType: 3, interlaced: true }],
    ['bmp-24-101x53.bmp', { format: 'bmp', width: 101, height: 53, bits: 24, topDown: false }],
    ['bmp-24-top-down.bmp', { format: 'bmp', width: 37, height: 29, topDown: true }],
  ])('reads the header of %s', (name, expected) => {
    expect(probeImage(fixture(name))).toMatchObject({ ok: true, value: expected });
  });

  it('tells formats by their content alone', () => {
    expect(probeImage(Buffer.from('GIF89a and so on'))).toMatchObject({
      ok: false,
      error: { code: 'IMAGE_UNREADABLE' },
    });
    expect(probeImage(new Uint8Array(0)).ok).toBe(false);
  });

  it.each(['jpeg-127x131.jpg', 'png-2-8.png', 'bmp-24.bmp', 'bmp-8.bmp'])(
    'refuses or reads every beginning of %s',
    (name) => {
      const path = name === 'bmp-24.bmp' ? 'bmp-24-37x29.bmp' : name;
      const bytes = fixture(path);
      const whole = probeImage(bytes);
      for (let length = 0; length < 700; length++) {
        const part = probeImage(bytes.subarray(0, length));
        if (part.ok)
          expect({ ...part.value, dataOffset: 0 }).toEqual(
            whole.ok && { ...whole.value, dataOffset: 0 },
          );
        else expect(part.error.code).toBe('IMAGE_UNREADABLE');
      }
    },
  );
});

describe('checkSides', () => {
  it.each([
    [15, 15, true],
    [15, 4096, true],
    [4096, 4096, true],
    [14, 100, false],
    [100, 14, false],
    [4097, 100, false],
    [100, 4097, false],
    [1, 1, false],
  ])('%i x %i: %s', (width, height, accepted) => {
    const fault = checkSides({ width, height });
    expect(fault === undefined).toBe(accepted);
  });

  it('names the sides found and the limits', () => {
    expect(checkSides({ width: 14, height: 5000 })).toEqual({
      code: 'SIZE_OUT_OF_RANGE',
      detail: expect.stringMatching(/15.*4096.*14x5000/),
    });
  });
});

describe('decompression bombs', () => {
  it.each(Object.entries(bombs()))('%s is turned away by its header', (_, bytes) => {
    const before = process.memoryUsage();
    const header = probeImage(bytes);
    expect(header.ok && checkSides(header.value)).toMatchObject({ code: 'SIZE_OUT_OF_RANGE' });
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1_000_000);
  });

  it('a small PNG that claims the largest sides takes no memory for them', async () => {
    const bytes = bombs(4096).png;
    const header = probeImage(bytes);
    if (!header.ok) throw new Error(header.error.detail);
    const before = process.memoryUsage().arrayBuffers;
    const outcome = await decodeImage(bytes, header.value, {
      colour: 'rgb',
      exifOrientation: 'ignore',
    });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'IMAGE_UNREADABLE' } });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});
