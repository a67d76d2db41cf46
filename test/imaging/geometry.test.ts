import { describe, expect, it } from 'vitest';
import { planResample, resizedSides } from '../../src/imaging/geometry.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { roundHalfEven } from '../../src/imaging/rounding.ts';

const stretch = (width: number, height: number): ImagingRecipe['resize'] => ({
  mode: 'stretch',
  width,
  height,
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [2.4999, 2],
    [2.5001, 3],
    [7, 7],
  ])('%d becomes %d', (value, expected) => {
    expect(roundHalfEven(value)).toBe(expected);
  });
});

describe('resizedSides', () => {
  it('truncates the longer side as torchvision does', () => {
    const resize = { mode: 'short-side', size: 256, rounding: 'truncate' } as const;
    // 256 * 500 / 375 = 341.33; 256 * 640 / 427 = 383.7
    expect(resizedSides(500, 375, resize)).toEqual({ width: 341, height: 256 });
    expect(resizedSides(427, 640, resize)).toEqual({ width: 256, height: 383 });
  });

  it('rounds the longer side as PaddleClas does', () => {
    const resize = { mode: 'short-side', size: 256, rounding: 'round' } as const;
    expect(resizedSides(427, 640, resize)).toEqual({ width: 256, height: 384 });
    expect(resizedSides(300, 300, resize)).toEqual({ width: 256, height: 256 });
  });

  it('fits a letterbox into its canvas', () => {
    const resize = { mode: 'letterbox', width: 224, height: 160, fill: 0 } as const;
    expect(resizedSides(100, 100, resize)).toEqual({ width: 160, height: 160 });
    expect(resizedSides(1000, 100, resize)).toEqual({ width: 224, height: 22 });
    expect(resizedSides(4096, 5, resize)).toEqual({ width: 224, height: 0 });
  });
});

describe('planResample', () => {
  it('takes torchvision and PaddleClas offsets of an odd margin', () => {
    const plan = (offset: 'half-even' | 'floor', size: number) =>
      planResample(100, 100, {
        resize: stretch(size, size),
        crop: { width: 224, height: 224, offset },
        pillow: '>=13',
      }).x.from;
    expect(plan('half-even', 227)).toBe(2);
    expect(plan('floor', 227)).toBe(1);
    expect(plan('half-even', 229)).toBe(2);
    expect(plan('floor', 229)).toBe(2);
  });

  it('centres an image smaller than the crop on black', () => {
    const { x, y } = planResample(100, 100, {
      resize: stretch(99, 101),
      crop: { width: 104, height: 100, offset: 'half-even' },
      pillow: '>=13',
    });
    expect(x).toMatchObject({ from: 0, count: 99, to: 2, length: 104 });
    expect(y).toMatchObject({ from: 0, count: 100, to: 0, length: 100 });
  });

  it.each([
    [300, 300, 290, 279, '>=13', true],
    [300, 300, 290, 280, '>=13', false],
    [300, 300, 290, 279, '<13', false],
    [15, 1501, 200, 100, '<13', true],
    [15, 1500, 200, 100, '<13', false],
    [15, 1501, 200, 1501, '<13', false],
    [20, 100, 400, 120, '>=13', false],
  ] as const)(
    '%ix%i to %ix%i with Pillow %s: vertical first %s',
    (w, h, outW, outH, pillow, expected) => {
      expect(planResample(w, h, { resize: stretch(outW, outH), pillow }).verticalFirst).toBe(
        expected,
      );
    },
  );
});
