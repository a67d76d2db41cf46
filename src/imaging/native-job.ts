import type { NativeJob } from '../platform/native-bindings.ts';
import { coefficientTable } from './coefficients.ts';
import type { AxisPlan, ResamplePlan } from './geometry.ts';
import type { Interpolation } from './recipe.ts';
import { sourceSpan } from './resample.ts';
import type { TensorData } from './tensor.ts';

/** An image as its file stores it, in pixels, and how EXIF says to turn it (1 to 8). */
export interface StoredImage {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
}

export interface JobOptions {
  readonly interpolation: Interpolation;
  readonly channels: 1 | 3;
  readonly layout: 'nchw' | 'nhwc';
  readonly colour: 'rgb' | 'bgr' | 'grey';
  readonly tensorTable: TensorData;
}

/** Lays a plan out as the addon takes it; the order of the numbers is `JobField`'s in addon/job.cc. */
export function createNativeJob(
  image: StoredImage,
  plan: ResamplePlan,
  options: JobOptions,
  target: TensorData,
  crop: Uint8Array | undefined,
): NativeJob {
  const x = axisNumbers(plan.x, options.interpolation);
  const y = axisNumbers(plan.y, options.interpolation);
  const fields = Int32Array.of(
    image.width,
    image.height,
    image.orientation,
    options.channels,
    ...x.numbers,
    ...y.numbers,
    Number(plan.verticalFirst),
    plan.canvasFill,
    plan.canvas.x,
    plan.canvas.y,
    plan.canvas.w,
    plan.canvas.h,
    Number(options.layout === 'nhwc'),
    Number(options.colour === 'bgr'),
  );
  return [fields, ...x.tables, ...y.tables, options.tensorTable, target, crop];
}

type AxisTables = [Int32Array | undefined, Int32Array | undefined, Int32Array | undefined];

function axisNumbers(
  axis: AxisPlan,
  filter: Interpolation,
): { numbers: readonly number[]; tables: AxisTables } {
  const isEmpty = axis.count === 0;
  const isCopied = isEmpty || axis.inSize === axis.outSize;
  const table = isCopied ? undefined : coefficientTable(axis, filter);
  const span = isEmpty ? { start: 0, count: 0 } : sourceSpan(axis, table);
  return {
    numbers: [span.start, span.count, axis.count, axis.to, axis.length, table?.stride ?? 0],
    tables: [table?.starts, table?.sizes, table?.weights],
  };
}
