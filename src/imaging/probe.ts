import { type Fault, fault } from '../core/errors.ts';
import type { Result } from '../core/result.ts';
import { type BmpHeader, isBmp, readBmpHeader } from './bmp-header.ts';
import { isJpeg, type JpegHeader, readJpegHeader } from './jpeg-markers.ts';
import { isPng, type PngHeader, readPngHeader } from './png-chunks.ts';
import { unreadable } from './refusal.ts';

/** What a file's header says; `width` and `height` in pixels, both at least 1. */
export type ImageHeader = JpegHeader | PngHeader | BmpHeader;

/** Limits of the wire contract, in pixels. */
const shortestSide = 15;
const longestSide = 4096;

/**
 * Tells the format by content and reads the header, nothing more: a file that claims huge sides
 * costs nothing. `IMAGE_UNREADABLE` when it is none of the three or its header cannot be read.
 */
export function probeImage(bytes: Uint8Array): Result<ImageHeader, Fault> {
  if (isJpeg(bytes)) return readJpegHeader(bytes);
  if (isPng(bytes)) return readPngHeader(bytes);
  if (isBmp(bytes)) return readBmpHeader(bytes);
  return unreadable('expected a JPEG, PNG or BMP image, found none of their signatures');
}

/** `SIZE_OUT_OF_RANGE` when a side is beyond the contract's limits; to be asked before decoding. */
export function checkSides(header: Pick<ImageHeader, 'width' | 'height'>): Fault | undefined {
  const { width, height } = header;
  if (Math.min(width, height) >= shortestSide && Math.max(width, height) <= longestSide) {
    return undefined;
  }
  return fault(
    'SIZE_OUT_OF_RANGE',
    `expected a shortest side of at least ${shortestSide} and a longest side of at most ${longestSide} pixels, found ${width}x${height}`,
  );
}
