/**
 * An uncompressed 24-bit BMP of one colour. `pixelBytes` cuts its rows short: the header then
 * promises more than the file holds.
 */
export function createBmp(width: number, height: number, pixelBytes?: number): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + (pixelBytes ?? rowBytes * height), 0x80);
  file.fill(0, 0, 54);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10); // where the pixels begin
  file.writeUInt32LE(40, 14); // length of the header that follows
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}
