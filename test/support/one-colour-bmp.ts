/** Red, green and blue, 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

const HEADER_BYTES = 54;

/**
 * A 24-bit BMP of one colour. However it is resized and cropped, every pixel keeps that colour, so
 * that a test knows a model's input without computing any preprocessing.
 */
export function oneColourBmp([red, green, blue]: Colour, width = 40, height = 36): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(HEADER_BYTES + rowBytes * height);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(HEADER_BYTES, 10);
  file.writeUInt32LE(40, 14); // BITMAPINFOHEADER
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26); // planes
  file.writeUInt16LE(24, 28); // bits a pixel
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      file.set([blue, green, red], HEADER_BYTES + y * rowBytes + x * 3);
    }
  }
  return file;
}
