import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { openWorkbench } from '../../src/imaging/kernels.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { resampleCrop } from '../../src/imaging/resample.ts';
import { packageRoot } from '../support/server.ts';

test('kernels.wasm is what its sources compile to (npm run build:simd)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-kernels-'));
  const compiled = join(folder, 'kernels.wasm');
  await promisify(execFile)(
    process.execPath,
    [
      'node_modules/assemblyscript/bin/asc.js',
      ...['--config', 'src/imaging/simd/asconfig.json', '--outFile', compiled],
    ],
    { cwd: packageRoot },
  );
  const committed = await readFile(join(packageRoot, 'src/imaging/simd/kernels.wasm'));
  expect(committed.equals(await readFile(compiled))).toBe(true);
  await rm(folder, { recursive: true });
});

describe('the memory of the kernels', () => {
  const recipe: ImagingRecipe = {
    colour: 'rgb',
    exifOrientation: 'ignore',
    resize: { mode: 'short-side', size: 256, rounding: 'truncate' },
    interpolation: 'bicubic',
    pillow: '>=13',
    crop: { width: 224, height: 224, offset: 'half-even' },
  };
  const largest = new Uint8Array(4096 * 4096 * 3);

  it.each([
    [500, 375],
    [4096, 4096],
    [2000, 4096],
    [4096, 15],
    [15, 4096],
  ])('stays the same for an image of %i x %i', (width, height) => {
    const data = largest.subarray(0, width * height * 3);
    resampleCrop({ data, width, height, channels: 3 }, recipe);
    expect(openWorkbench().memory(0).length).toBe(1024 * 1024);
  });

  it('grows to what a single row is made of, and no further', () => {
    const tiny: ImagingRecipe = { ...recipe, resize: { mode: 'stretch', width: 4096, height: 2 } };
    for (let i = 0; i < 2; i++) {
      resampleCrop({ data: largest, width: 4096, height: 4096, channels: 3 }, tiny);
      expect(openWorkbench().memory(0).length).toBeGreaterThan(1024 * 1024);
      expect(openWorkbench().memory(0).length).toBeLessThan(1.1 * largest.length);
    }
  });
});
