import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { asColour, cmykToRgb } from './colour.ts';
import type { JpegHeader } from './jpeg-markers.ts';
import type { DecodedColour, Pixels } from './pixels.ts';
import { unreadable } from './refusal.ts';
import { loadSharp } from './sharp.ts';

/**
 * Decodes a JPEG to the pixels libjpeg-turbo's default settings give, as Pillow uses them: islow
 * DCT, fancy upsampling, no colour profile, warnings ignored.
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  colour: DecodedColour,
): Promise<Result<Pixels, Fault>> {
  const sharp = await loadSharp();
  const { width, height, components } = header;
  let image = sharp(bytes, {
    failOn: 'none',
    // Lifts libvips' limit of warnings, which libjpeg has not; that of scans is ours (jpeg-markers).
    unlimited: true,
    ignoreIcc: true,
    limitInputPixels: width * height,
    sequentialRead: true,
  });
  // Asked for its own colour space, libvips hands the samples through without arithmetic of its own.
  if (components === 4) image = image.pipelineColourspace('cmyk').toColourspace('cmyk');
  if (components === 1) image = image.toColourspace('b-w');
  let raw: { data: Uint8Array; info: { width: number; height: number; channels: number } };
  try {
    raw = await image.raw().toBuffer({ resolveWithObject: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : 'unknown';
    return unreadable(`JPEG: ${reason}`);
  }
  const { data, info } = raw;
  if (info.width !== width || info.height !== height || info.channels !== components) {
    return unreadable(
      `JPEG: expected ${width}x${height} with ${components} components, decoded ${info.width}x${info.height} with ${info.channels}`,
    );
  }
  if (components !== 4) return ok(asColour(data, components, width, height, colour));
  // libvips hands CMYK out the way Pillow reads it: inverted, whether Adobe wrote the file or not.
  return ok(asColour(cmykToRgb(data), 3, width, height, colour));
}
