/**
 * How a model wants its images prepared: plain data, taken from the model's manifest and trusted
 * here. The names follow what the training side does (Pillow, torchvision, PaddleClas).
 */

/** Colour order of the tensor's channels. `grey` is one channel, everything else three. */
export type ColourOrder = 'rgb' | 'bgr' | 'grey';

/**
 * Resize the shorter side to `size` pixels, keeping the proportions. The longer side is
 * `truncate`: `int(size * long / short)` (torchvision), `round`: `int(round(long * (size / short)))`
 * with halves going to the even number (PaddleClas).
 */
interface ShortSideResize {
  readonly mode: 'short-side';
  readonly size: number;
  readonly rounding: 'truncate' | 'round';
}

/** Resize to exactly these sides, in pixels, whatever the proportions. */
interface StretchResize {
  readonly mode: 'stretch';
  readonly width: number;
  readonly height: number;
}

/**
 * Fit into these sides keeping the proportions and centre the result on a canvas of `fill`
 * (0 to 255, in every channel), as Pillow's `ImageOps.pad` does.
 */
interface LetterboxResize {
  readonly mode: 'letterbox';
  readonly width: number;
  readonly height: number;
  readonly fill: number;
}

export type Resize = ShortSideResize | StretchResize | LetterboxResize;

/** Antialiased filters of Pillow's `resize`. */
export type Interpolation = 'bilinear' | 'bicubic';

/**
 * Which Pillow the model was trained with. Since 13 `resize` takes the vertical pass first when
 * `outH < inH` and `inH - outH > 2 * (inW - outW)`; before, the horizontal pass came first, except
 * for images more than 100 times as high as wide.
 */
export type PillowVersion = '<13' | '>=13';

/**
 * Centre crop, in pixels. The offset of an odd margin is `half-even`: `int(round(margin / 2))`
 * (torchvision) or `floor`: `margin // 2` (PaddleClas). An image smaller than the crop is first
 * centred on black, as torchvision's `center_crop` does.
 */
export interface CentreCrop {
  readonly width: number;
  readonly height: number;
  readonly offset: 'half-even' | 'floor';
}

/** From decoded pixels to the uint8 pixels the tensor is made of. */
export interface ImagingRecipe {
  readonly colour: ColourOrder;
  readonly exifOrientation: 'ignore' | 'apply';
  readonly resize: Resize;
  readonly interpolation: Interpolation;
  readonly pillow: PillowVersion;
  readonly crop?: CentreCrop;
}

/**
 * From uint8 to float: `((x / divideBy) - mean) / std` or `((x * multiplyBy) - mean) / std`, each
 * operation rounded to float32 as torch and numpy do it. With both absent, `(x - mean) / std`; with
 * both present the division comes first. `mean` and `std` stand in the order of the tensor's
 * channels: for `bgr`, blue first.
 */
export interface NormaliseRecipe {
  readonly divideBy?: number;
  readonly multiplyBy?: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
