import { crc32, deflateSync } from 'node:zlib';

/** Tiny files whose headers claim huge sides. */
export function bombs(side = 65535): Record<'jpeg' | 'png' | 'bmp', Uint8Array> {
  const bmp = Buffer.alloc(54);
  bmp.write('BM');
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeUInt32LE(side, 18);
  bmp.writeUInt32LE(side, 22);
  bmp.writeUInt16LE(24, 28);

  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(side, 0);
  ihdr.writeUInt32BE(side, 4);
  ihdr.set([8, 2], 8);
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', ihdr),
    pngChunk('IDAT', deflateSync(Buffer.alloc(1000))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);

  const frame = Buffer.from('ffd8ffc000110800000000030122000211010311', 'hex');
  frame.writeUInt16BE(side, 7);
  frame.writeUInt16BE(side, 9);
  const jpeg = Buffer.concat([frame, Buffer.from([1, 0xff, 0xd9])]);
  return { jpeg, png, bmp };
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}
