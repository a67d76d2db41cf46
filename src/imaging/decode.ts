import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { decodeBmp } from './bmp.ts';
import { jpegOrientation, pngOrientation } from './exif.ts';
import { decodeJpeg } from './jpeg.ts';
import { readJpegStructure } from './jpeg-markers.ts';
import { orient } from './orientation.ts';
import type { DecodedColour, Pixels } from './pixels.ts';
import { decodePng } from './png.ts';
import { readPngContent } from './png-chunks.ts';
import type { ImageHeader } from './probe.ts';

export interface DecodeOptions {
  readonly colour: DecodedColour;
  readonly exifOrientation: 'ignore' | 'apply';
}

/**
 * Decodes to the pixels of Pillow's `Image.open(..).convert('RGB')`, or `convert('L')` for grey.
 * `header` is what `probeImage` read from the same bytes, its sides checked by `checkSides`: memory
 * in proportion to them is taken. Never throws on bad bytes: `IMAGE_UNREADABLE`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  header: ImageHeader,
  options: DecodeOptions,
): Promise<Result<Pixels, Fault>> {
  const apply = options.exifOrientation === 'apply';
  switch (header.format) {
    case 'jpeg': {
      const structure = readJpegStructure(bytes, header);
      if (!structure.ok) return structure;
      const pixels = await decodeJpeg(bytes, header, options.colour);
      if (!pixels.ok || !apply) return pixels;
      return ok(orient(pixels.value, jpegOrientation(structure.value.app1)));
    }
    case 'png': {
      const content = readPngContent(bytes);
      if (!content.ok) return content;
      const pixels = decodePng(header, content.value, options.colour);
      if (!pixels.ok || !apply) return pixels;
      return ok(orient(pixels.value, pngOrientation(content.value.metadata)));
    }
    case 'bmp':
      return decodeBmp(bytes, header, options.colour);
  }
}
