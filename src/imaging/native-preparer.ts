import type { Fault } from '../core/errors.ts';
import { freeMemory } from '../core/free-memory.ts';
import { ok, type Result } from '../core/result.ts';
import type { NativeBindings } from '../platform/native-bindings.ts';
import { decodeImage } from './decode.ts';
import { jpegOrientation, pngOrientation } from './exif.ts';
import { planResample } from './geometry.ts';
import { type JpegHeader, readJpegStructure } from './jpeg-markers.ts';
import { createNativeJob, type JobOptions, type StoredImage } from './native-job.ts';
import type { Pixels } from './pixels.ts';
import { type PngContent, type PngHeader, readPngContent } from './png-chunks.ts';
import { createPortablePreparer } from './portable-preparer.ts';
import type { PreparationOptions, PreparedImage, Preparer } from './preparation.ts';
import type { ImageHeader } from './probe.ts';
import { unreadable } from './refusal.ts';
import { buildTensorTable, type TensorData } from './tensor.ts';

/**
 * Prepares images with the addon: a JPEG or PNG in one call, of which only what the crop needs is decoded.
 * Which files are taken and which numbers are computed is decided by the same code as without it.
 */
export function createNativePreparer(
  options: PreparationOptions,
  bindings: NativeBindings,
): Preparer {
  const { recipe, tensor } = options;
  const portable = createPortablePreparer(options);
  const job: JobOptions = {
    interpolation: recipe.interpolation,
    channels: recipe.colour === 'grey' ? 1 : 3,
    layout: tensor.layout,
    colour: recipe.colour,
    tensorTable: buildTensorTable(tensor),
  };

  /** Everything that the addon is told of one image, and the crop that it fills, if any. */
  function layOut(image: StoredImage, target: TensorData, wantsCrop: boolean) {
    const { width, height, orientation } = image;
    const isTurned = orientation >= 5;
    const plan = planResample(isTurned ? height : width, isTurned ? width : height, recipe);
    const crop = wantsCrop ? emptyCrop(plan.x.length, plan.y.length, job.channels) : undefined;
    return { crop, nativeJob: createNativeJob(image, plan, job, target, crop?.data) };
  }

  function prepareJpeg(
    bytes: Uint8Array,
    header: JpegHeader,
    target: TensorData,
    wantsCrop: boolean,
  ): Result<PreparedImage, Fault> | 'damaged' {
    const started = performance.now();
    const structure = readJpegStructure(bytes, header, bindings.findMarker);
    if (!structure.ok) return structure;
    const { width, height } = header;
    const orientation =
      recipe.exifOrientation === 'apply' ? jpegOrientation(structure.value.app1) : 1;
    const { crop, nativeJob } = layOut({ width, height, orientation }, target, wantsCrop);
    const decoded = bindings.prepareJpeg(bytes, ...nativeJob);
    if (decoded === null) return 'damaged';
    if (typeof decoded === 'string') return unreadable(`JPEG: ${decoded}`);
    return ok({ crop, decodeMs: decoded, resampleMs: performance.now() - started - decoded });
  }

  function preparePng(
    bytes: Uint8Array,
    header: PngHeader,
    target: TensorData,
    wantsCrop: boolean,
  ): Result<PreparedImage, Fault> | 'unusual' {
    const started = performance.now();
    const content = readPngContent(bytes);
    if (!content.ok) return content;
    const { compressed, palette, metadata } = content.value;
    const isTurned = recipe.exifOrientation === 'apply' && pngOrientation(metadata) !== 1;
    if (isTurned || !hasPlainRows(header, content.value)) return 'unusual';
    const { width, height, colourType, bitDepth } = header;
    const { crop, nativeJob } = layOut({ width, height, orientation: 1 }, target, wantsCrop);
    const decoded = bindings.preparePng(
      bytes,
      findPieces(bytes, compressed),
      colourType,
      bitDepth,
      palette,
      ...nativeJob,
    );
    if (decoded === null) return 'unusual';
    return ok({ crop, decodeMs: decoded, resampleMs: performance.now() - started - decoded });
  }

  async function prepareOther(
    bytes: Uint8Array,
    header: ImageHeader,
    target: TensorData,
    wantsCrop: boolean,
  ): Promise<Result<PreparedImage, Fault>> {
    const started = performance.now();
    const pixels = await decodeImage(bytes, header, {
      colour: recipe.colour === 'grey' ? 'grey' : 'rgb',
      exifOrientation: recipe.exifOrientation,
    });
    if (!pixels.ok) return pixels;
    const decoded = performance.now();
    const { data, width, height } = pixels.value;
    const { crop, nativeJob } = layOut({ width, height, orientation: 1 }, target, wantsCrop);
    bindings.preparePixels(data, ...nativeJob);
    freeMemory(data);
    return ok({
      crop,
      decodeMs: decoded - started,
      resampleMs: performance.now() - decoded,
    });
  }

  return {
    async prepare(bytes, header, target, wantsCrop) {
      if (header.format === 'png') {
        const prepared = preparePng(bytes, header, target, wantsCrop);
        if (prepared !== 'unusual') return prepared;
      }
      if (header.format !== 'jpeg') return prepareOther(bytes, header, target, wantsCrop);
      const prepared = prepareJpeg(bytes, header, target, wantsCrop);
      // Each version of libjpeg mends damage in its own way: the portable way's is everywhere the same.
      return prepared === 'damaged' ? portable.prepare(bytes, header, target, wantsCrop) : prepared;
    },
  };
}

/** Whether the addon knows such rows; with fewer bits or interlaced they are rare. */
function hasPlainRows({ bitDepth, interlaced }: PngHeader, { palette }: PngContent): boolean {
  return bitDepth >= 8 && !interlaced && palette.length <= 3 * 256;
}

/** Where in `bytes` views of them start and end. */
function findPieces(bytes: Uint8Array, views: readonly Uint8Array[]): Uint32Array {
  const pieces = new Uint32Array(2 * views.length);
  for (const [i, { byteOffset, length }] of views.entries()) {
    pieces[2 * i] = byteOffset - bytes.byteOffset;
    pieces[2 * i + 1] = byteOffset - bytes.byteOffset + length;
  }
  return pieces;
}

function emptyCrop(width: number, height: number, channels: 1 | 3): Pixels {
  return { data: new Uint8Array(width * height * channels), width, height, channels };
}
