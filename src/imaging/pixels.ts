/**
 * Decoded pixels, interleaved row by row: `data[(y * width + x) * channels + c]`, 8 bits each;
 * channels are red, green, blue or one grey.
 */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** What a decoder is asked for: three channels or one. */
export type DecodedColour = 'rgb' | 'grey';
