import type { Pixels } from './pixels.ts';

/**
 * Turns and mirrors pixels by an EXIF orientation (1 to 8), as Pillow's `ImageOps.exif_transpose`
 * does. From 5 on, width and height change places.
 */
export function orient(pixels: Pixels, orientation: number): Pixels {
  if (orientation === 1) return pixels;
  const { data, channels } = pixels;
  const swap = orientation >= 5;
  const width = swap ? pixels.height : pixels.width;
  const height = swap ? pixels.width : pixels.height;
  // Which source axes run backwards: 2, 3, 7 and 8 the columns; 3, 4, 6 and 7 the rows.
  const backX = [2, 3, 7, 8].includes(orientation);
  const backY = [3, 4, 6, 7].includes(orientation);
  const stepX = (backX ? -1 : 1) * channels;
  const stepY = (backY ? -1 : 1) * pixels.width * channels;
  const origin =
    ((backY ? pixels.height - 1 : 0) * pixels.width + (backX ? pixels.width - 1 : 0)) * channels;
  const stepColumn = swap ? stepY : stepX;
  const stepRow = swap ? stepX : stepY;
  const turned = new Uint8Array(data.length);
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = origin + row * stepRow;
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < channels; c++) turned[to++] = data[from + c] as number;
      from += stepColumn;
    }
  }
  return { data: turned, width, height, channels };
}
