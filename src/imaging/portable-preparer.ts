import { freeMemory } from '../core/free-memory.ts';
import { ok } from '../core/result.ts';
import { decodeImage } from './decode.ts';
import type { PreparationOptions, Preparer } from './preparation.ts';
import { resampleCrop } from './resample.ts';
import { createTensorFiller } from './tensor.ts';

/** Prepares images on any machine: sharp for JPEG, the rest is ours. */
export function createPortablePreparer({ recipe, tensor }: PreparationOptions): Preparer {
  const fillTensor = createTensorFiller(tensor);
  const decodeOptions = {
    colour: recipe.colour === 'grey' ? 'grey' : 'rgb',
    exifOrientation: recipe.exifOrientation,
  } as const;

  return {
    async prepare(bytes, header, target, wantsCrop) {
      const started = performance.now();
      const pixels = await decodeImage(bytes, header, decodeOptions);
      if (!pixels.ok) {
        return pixels;
      }
      const decoded = performance.now();
      const crop = resampleCrop(pixels.value, recipe);
      fillTensor(crop, target);
      freeMemory(pixels.value.data);
      if (!wantsCrop) {
        freeMemory(crop.data);
      }
      return ok({
        crop: wantsCrop ? crop : undefined,
        decodeMs: decoded - started,
        resampleMs: performance.now() - decoded,
      });
    },
  };
}
