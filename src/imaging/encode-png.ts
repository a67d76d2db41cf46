import type { Pixels } from './pixels.ts';
import { loadSharp } from './sharp.ts';

/** A PNG of the pixels, for people to look at. */
export async function encodePng({ data, width, height, channels }: Pixels): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}
