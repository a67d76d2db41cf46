import { type Area, copyRows } from './area.ts';
import { type CoefficientTable, coefficientTable } from './coefficients.ts';
import { type AxisPlan, planResample, type ResamplePlan } from './geometry.ts';
import { runPasses } from './passes.ts';
import type { Pixels } from './pixels.ts';
import type { ImagingRecipe, Interpolation } from './recipe.ts';

/**
 * Resizes and crops as `recipe` says, in Pillow's 8-bit fixed-point arithmetic, and computes only
 * the pixels that the crop keeps. The result's data is the caller's own.
 */
export function resampleCrop(pixels: Pixels, recipe: ImagingRecipe): Pixels {
  const plan = planResample(pixels.width, pixels.height, recipe);
  return runPlan(pixels, plan, recipe.interpolation);
}

/** Carries out a plan made for the sides of `pixels`. A native kernel would stand in for this. */
function runPlan(pixels: Pixels, plan: ResamplePlan, filter: Interpolation): Pixels {
  const { x, y } = plan;
  const { channels } = pixels;
  const out = new Uint8Array(x.length * y.length * channels);
  const result: Pixels = { data: out, width: x.length, height: y.length, channels };
  const covered = x.count === x.length && y.count === y.length;
  if (!covered) fillCanvas(result, plan);
  if (x.count === 0 || y.count === 0) return result;

  const xTable = x.inSize === x.outSize ? undefined : coefficientTable(x, filter);
  const yTable = y.inSize === y.outSize ? undefined : coefficientTable(y, filter);
  const columns = sourceSpan(x, xTable);
  const rows = sourceSpan(y, yTable);
  const source: Area = {
    data: pixels.data,
    offset: (rows.start * pixels.width + columns.start) * channels,
    stride: pixels.width * channels,
  };
  const target: Area = {
    data: out,
    offset: (y.to * x.length + x.to) * channels,
    stride: x.length * channels,
  };

  if (xTable === undefined && yTable === undefined) {
    copyRows(source, target, x.count * channels, y.count);
  } else {
    runPasses(source, target, {
      x: xTable,
      y: yTable,
      verticalFirst: plan.verticalFirst,
      channels,
      columns,
      rows,
      width: x.count,
      height: y.count,
    });
  }
  return result;
}

function fillCanvas(result: Pixels, plan: ResamplePlan): void {
  if (plan.canvasFill === 0) return;
  const { channels, width, data } = result;
  const { canvas } = plan;
  for (let row = canvas.y; row < canvas.y + canvas.h; row++) {
    const start = (row * width + canvas.x) * channels;
    data.fill(plan.canvasFill, start, start + canvas.w * channels);
  }
}

/** The source positions that the wanted part of an axis reads. */
export function sourceSpan(
  axis: AxisPlan,
  table: CoefficientTable | undefined,
): { start: number; count: number } {
  if (table === undefined) return { start: axis.from, count: axis.count };
  const last = axis.count - 1;
  const start = table.starts[0] ?? 0;
  // Both ends grow with the position, so the first and the last one bound all between.
  const end = (table.starts[last] ?? 0) + (table.sizes[last] ?? 0);
  return { start, count: end - start };
}
