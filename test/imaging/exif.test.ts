import { expect, test } from 'vitest';
import { jpegOrientation, pngOrientation } from '../../src/imaging/exif.ts';

/** A TIFF structure of one directory with one entry: the orientation, 16 bits wide. */
function tiff(orientation: number): Buffer {
  const block = Buffer.alloc(26);
  block.write('II*\0', 'latin1');
  block.writeUInt32LE(8, 4); // where the directory is
  block.writeUInt16LE(1, 8);
  block.writeUInt16LE(0x0112, 10);
  block.writeUInt16LE(3, 12);
  block.writeUInt32LE(1, 14);
  block.writeUInt16LE(orientation, 18);
  return block;
}

const xmp = (orientation: number) => `<x tiff:Orientation="${orientation}"/>`;

test.each([
  [1, 1],
  [6, 6],
  [8, 8],
  [0, 1],
  [9, 1],
  [65_535, 1],
])('the number %d is read as orientation %d', (stored, read) => {
  const app1 = Buffer.concat([Buffer.from('Exif\0\0'), tiff(stored)]);
  expect(jpegOrientation([app1])).toBe(read);
  expect(pngOrientation([{ type: 'eXIf', data: tiff(stored) }])).toBe(read);
});

test('a number that is no orientation still comes before the XMP packet', () => {
  const app1 = [
    Buffer.concat([Buffer.from('Exif\0\0'), tiff(0)]),
    Buffer.from(`http://ns.adobe.com/xap/1.0/\0${xmp(3)}`),
  ];
  expect(jpegOrientation(app1)).toBe(1);
  expect(jpegOrientation(app1.slice(1))).toBe(3);
  expect(jpegOrientation([Buffer.from(`http://ns.adobe.com/xap/1.0/\0${xmp(9)}`)])).toBe(1);
});
