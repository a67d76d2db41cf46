const SIDE = 180; // 97,200 bytes of pixels, nearly what 140 KB of base64 holds
const HEADER_BYTES = 54;

/**
 * The body of a request, `byteLength` bytes long: a grey BMP of 180 x 180 pixels, followed within
 * its base64 by as many zeros as are missing, which decoders do not look at.
 */
export function createBody(byteLength: number): string {
  const frame = JSON.stringify({ image: '', top_num: 2 });
  const characters = Math.floor((byteLength - frame.length) / 4) * 4;
  const file = Buffer.alloc((characters / 4) * 3);
  const rowBytes = Math.ceil((SIDE * 3) / 4) * 4;
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(HEADER_BYTES, 10); // where the pixels begin
  file.writeUInt32LE(40, 14); // length of the header that follows
  file.writeInt32LE(SIDE, 18);
  file.writeInt32LE(SIDE, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  file.fill(0x80, HEADER_BYTES, HEADER_BYTES + rowBytes * SIDE);
  return JSON.stringify({ image: file.toString('base64'), top_num: 2 });
}
