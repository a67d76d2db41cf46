import { deflateSync } from 'node:zlib';
import { pngFile } from '../support/png-file.ts';

/** Tiny files whose headers claim huge sides. */
export function bombs(side = 65535): Record<'jpeg' | 'png' | 'bmp', Uint8Array> {
  const bmp = Buffer.alloc(54);
  bmp.write('BM');
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeUInt32LE(side, 18);
  bmp.writeUInt32LE(side, 22);
  bmp.writeUInt16LE(24, 28);

  const png = pngFile(
    { width: side, height: side, bitDepth: 8, colourType: 2, interlaced: false },
    [deflateSync(Buffer.alloc(1000))],
  );

  const frame = Buffer.from('ffd8ffc000110800000000030122000211010311', 'hex');
  frame.writeUInt16BE(side, 7);
  frame.writeUInt16BE(side, 9);
  const jpeg = Buffer.concat([frame, Buffer.from([1, 0xff, 0xd9])]);
  return { jpeg, png, bmp };
}
