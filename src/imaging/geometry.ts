import type { CentreCrop, ImagingRecipe, PillowVersion, Resize } from './recipe.ts';
import { roundHalfEven } from './rounding.ts';

/** Where one axis of the output comes from; lengths and offsets in pixels. */
export interface AxisPlan {
  /** Length of the source axis. */
  readonly inSize: number;
  /** Length of the whole resized axis, of which only a part may be wanted. */
  readonly outSize: number;
  /** First wanted position of the resized axis. */
  readonly from: number;
  /** How many positions of the resized axis are wanted. */
  readonly count: number;
  /** Where the first wanted position lands in the output. */
  readonly to: number;
  /** Length of the output axis; positions that nothing lands on hold `fill`. */
  readonly length: number;
}

/** Resize and crop of one image, as pure numbers; no pixel has been touched. */
export interface ResamplePlan {
  readonly x: AxisPlan;
  readonly y: AxisPlan;
  /** Whether the vertical pass comes first (it matters: the pixels between are 8 bits). */
  readonly verticalFirst: boolean;
  /** Byte of the letterbox canvas. */
  readonly canvasFill: number;
  /** The part of the output that the canvas covers; outside of it is black. */
  readonly canvas: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
}

interface Sides {
  readonly width: number;
  readonly height: number;
}

/**
 * The plan for an image of the given sides. Formulas: torchvision `_compute_resized_output_size`
 * and `center_crop`, PaddleClas `ResizeImage` and `CropImage`, Pillow `ImageOps.contain` and `pad`.
 */
export function planResample(
  width: number,
  height: number,
  recipe: Pick<ImagingRecipe, 'resize' | 'crop' | 'pillow'>,
): ResamplePlan {
  const resized = resizedSides(width, height, recipe.resize);
  const canvas =
    recipe.resize.mode === 'letterbox'
      ? { width: recipe.resize.width, height: recipe.resize.height }
      : resized;
  const crop = recipe.crop;
  const x = planAxis(width, resized.width, canvas.width, crop?.width, crop?.offset);
  const y = planAxis(height, resized.height, canvas.height, crop?.height, crop?.offset);
  return {
    x: x.axis,
    y: y.axis,
    verticalFirst: isVerticalFirst(width, height, resized, recipe.pillow),
    canvasFill: recipe.resize.mode === 'letterbox' ? recipe.resize.fill : 0,
    canvas: { x: x.canvasFrom, y: y.canvasFrom, w: x.canvasCount, h: y.canvasCount },
  };
}

/**
 * Pillow 13's rule was found by probing (no miss in thousands of sizes). Before, `Image.resize`
 * resized the height first only when an image was more than 100 times as high as wide.
 */
function isVerticalFirst(
  width: number,
  height: number,
  resized: Sides,
  pillow: PillowVersion,
): boolean {
  if (resized.height >= height) return false;
  if (pillow === '<13') return height > width * 100;
  return height - resized.height > 2 * (width - resized.width);
}

/** Sides after the resize, before any canvas or crop. A side may be 0 with a letterbox only. */
export function resizedSides(width: number, height: number, resize: Resize): Sides {
  switch (resize.mode) {
    case 'stretch':
      return { width: resize.width, height: resize.height };
    case 'letterbox':
      return contain(width, height, resize);
    case 'short-side': {
      const short = Math.min(width, height);
      const long = Math.max(width, height);
      const newLong =
        resize.rounding === 'truncate'
          ? Math.floor((resize.size * long) / short)
          : roundHalfEven(long * (resize.size / short));
      return width <= height
        ? { width: resize.size, height: newLong }
        : { width: newLong, height: resize.size };
    }
  }
}

function contain(width: number, height: number, box: Sides): Sides {
  const ratio = width / height;
  const boxRatio = box.width / box.height;
  if (ratio > boxRatio) {
    return { width: box.width, height: roundHalfEven((height / width) * box.width) };
  }
  if (ratio < boxRatio) {
    return { width: roundHalfEven((width / height) * box.height), height: box.height };
  }
  return { width: box.width, height: box.height };
}

/** One axis: the resized length is centred on the canvas, the canvas is cropped or centred on black. */
function planAxis(
  inSize: number,
  outSize: number,
  canvas: number,
  crop: number | undefined,
  offset: CentreCrop['offset'] | undefined,
): { axis: AxisPlan; canvasFrom: number; canvasCount: number } {
  const length = crop ?? canvas;
  const pasteAt = roundHalfEven((canvas - outSize) * 0.5);
  // Where the canvas starts in the output; negative when the crop cuts it.
  let canvasAt: number;
  if (length > canvas) canvasAt = Math.floor((length - canvas) / 2);
  else if (offset === 'floor') canvasAt = -Math.floor((canvas - length) / 2);
  else canvasAt = -roundHalfEven((canvas - length) / 2);

  const start = Math.max(0, canvasAt + pasteAt);
  const end = Math.min(length, canvasAt + pasteAt + outSize);
  const canvasFrom = Math.max(0, canvasAt);
  return {
    axis: {
      inSize,
      outSize,
      from: start - canvasAt - pasteAt,
      count: Math.max(0, end - start),
      to: start,
      length,
    },
    canvasFrom,
    canvasCount: Math.min(length, canvasAt + canvas) - canvasFrom,
  };
}
