import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coefficientTable } from '../../src/imaging/coefficients.ts';
import { planResample } from '../../src/imaging/geometry.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { ImagingRecipe } from '../../src/imaging/recipe.ts';
import { sourceSpan } from '../../src/imaging/resample.ts';
import { readPackageInfo } from '../../src/platform/package-info.ts';

/** On either side, without which smooth upsampling gives other pixels at the region's edge. */
const MARGIN_COLUMNS = 2;

/** CPU milliseconds an image of libjpeg-turbo alone, in C, on the region that a recipe needs. */
export interface RegionDecode extends Disposable {
  measure(repeats: number): number;
}

/**
 * Compiles native-bindings/bench/region-decode.cc and lays the photos out for it. Undefined where it
 * cannot be built.
 */
export function createRegionDecode(
  photos: readonly Buffer[],
  recipe: ImagingRecipe,
): RegionDecode | undefined {
  const source = join(readPackageInfo().root, 'native-bindings/bench/region-decode.cc');
  const folder = mkdtempSync(join(tmpdir(), 'region-decode-'));
  const program = join(folder, 'region-decode');
  const libraries = ['-l:libjpeg.a', '-ljpeg'];
  const isBuilt = libraries.some((library) => {
    const flags = ['-std=c++17', '-O3', '-o', program, source, library];
    return spawnSync('g++', flags).status === 0;
  });
  if (!isBuilt) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const regions = photos.flatMap((photo, i) => {
    const file = join(folder, `${i}.jpg`);
    writeFileSync(file, photo);
    const header = probeImage(photo);
    if (!header.ok) throw new Error(header.error.detail);
    const { x, y } = planResample(header.value.width, header.value.height, recipe);
    const columns = sourceSpan(x, coefficientTable(x, recipe.interpolation));
    const rows = sourceSpan(y, coefficientTable(y, recipe.interpolation));
    const start = Math.max(0, columns.start - MARGIN_COLUMNS);
    const end = Math.min(x.inSize, columns.start + columns.count + MARGIN_COLUMNS);
    return [file, start, rows.start, end - start, rows.count].map(String);
  });
  return {
    measure: (repeats) =>
      Number(execFileSync(program, [String(repeats), ...regions], { encoding: 'utf8' })),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
