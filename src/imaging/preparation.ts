import type { Fault } from '../core/errors.ts';
import type { Result } from '../core/result.ts';
import type { Pixels } from './pixels.ts';
import type { ImageHeader } from './probe.ts';
import type { ImagingRecipe } from './recipe.ts';
import type { TensorData, TensorOptions } from './tensor.ts';

/** What a model wants its images made into. */
export interface PreparationOptions {
  readonly recipe: ImagingRecipe;
  readonly tensor: TensorOptions;
}

export interface PreparedImage {
  /** Only when it was asked for. */
  readonly crop: Pixels | undefined;
  /** Wall time in milliseconds; resizing, cropping and filling the tensor count as resampling. */
  readonly decodeMs: number;
  readonly resampleMs: number;
}

/**
 * Turns an image file's bytes into a model's input tensor, with Pillow's pixels. `header` is what
 * `probeImage` read from the same bytes, its sides checked by `checkSides`; `target` holds one
 * image's elements. Never throws on bad bytes: `IMAGE_UNREADABLE`.
 */
export interface Preparer {
  prepare(
    bytes: Uint8Array,
    header: ImageHeader,
    target: TensorData,
    wantsCrop: boolean,
  ): Promise<Result<PreparedImage, Fault>>;
}
