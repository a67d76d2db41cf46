import type { DecodedColour, Pixels } from './pixels.ts';

/**
 * Pillow's luma for colour to grey: ITU-R 601 weights in 16-bit fixed point, rounded
 * (`L24` in src/libImaging/Convert.c).
 */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** Interleaved RGB bytes to one grey byte a pixel. */
function rgbToGrey(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = luma(rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number);
  }
  return grey;
}

/** One grey byte a pixel to three equal ones. */
function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0, to = 0; i < grey.length; i++, to += 3) {
    const value = grey[i] as number;
    rgb[to] = value;
    rgb[to + 1] = value;
    rgb[to + 2] = value;
  }
  return rgb;
}

/**
 * CMYK bytes in Pillow's sense (255 is full ink) to RGB: `clip(n - c * n / 255)` with
 * `n = 255 - k` and the division rounded (`cmyk2rgb` in src/libImaging/Convert.c).
 */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const pixels = cmyk.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += 4, to += 3) {
    const light = 255 - (cmyk[from + 3] as number);
    rgb[to] = light - scaled(cmyk[from] as number, light);
    rgb[to + 1] = light - scaled(cmyk[from + 1] as number, light);
    rgb[to + 2] = light - scaled(cmyk[from + 2] as number, light);
  }
  return rgb;
}

/** `a * b / 255`, rounded, without a division; `a` and `b` are bytes. */
function scaled(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** Decoded samples of one or three channels as the channels asked for. */
export function asColour(
  data: Uint8Array,
  channels: 1 | 3,
  width: number,
  height: number,
  colour: DecodedColour,
): Pixels {
  if (colour === 'grey') {
    return { data: channels === 1 ? data : rgbToGrey(data), width, height, channels: 1 };
  }
  return { data: channels === 3 ? data : greyToRgb(data), width, height, channels: 3 };
}
