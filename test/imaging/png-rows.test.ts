import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createNativePreparer } from '../../src/imaging/native-preparer.ts';
import type { PngHeader } from '../../src/imaging/png-chunks.ts';
import type { PreparationOptions } from '../../src/imaging/preparation.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import { loadNativeBindings } from '../../src/platform/native-bindings.ts';
import { prepareFile, ways } from '../support/imaging-ways.ts';
import { createRandom } from '../support/mutate.ts';
import { pngFile } from '../support/png-file.ts';

const [portable, ...others] = ways;
if (portable === undefined) throw new Error('there is always the portable way');

const width = 70;
const height = 61;
const side = 48;
const kinds = [
  { colourType: 0, bitDepth: 8, pixelBytes: 1 },
  { colourType: 0, bitDepth: 16, pixelBytes: 2 },
  { colourType: 2, bitDepth: 8, pixelBytes: 3 },
  { colourType: 2, bitDepth: 16, pixelBytes: 6 },
  { colourType: 3, bitDepth: 8, pixelBytes: 1 },
  { colourType: 4, bitDepth: 8, pixelBytes: 2 },
  { colourType: 4, bitDepth: 16, pixelBytes: 4 },
  { colourType: 6, bitDepth: 8, pixelBytes: 4 },
  { colourType: 6, bitDepth: 16, pixelBytes: 8 },
] as const;
type Kind = (typeof kinds)[number];

/** Rows of random bytes; `filters` are taken in turn. */
function makeLines({ pixelBytes }: Kind, filters: readonly number[], seed = 1): Uint8Array {
  const random = createRandom(seed);
  const lineBytes = 1 + width * pixelBytes;
  const lines = new Uint8Array(height * lineBytes).map(() => random(256));
  for (let row = 0; row < height; row++) {
    lines[row * lineBytes] = filters[row % filters.length] as number;
  }
  return lines;
}

const palette = new Uint8Array(3 * 200).map((_, i) => i * 37);

function makePng(kind: Kind, compressed: readonly Uint8Array[]): Buffer {
  const header: Omit<PngHeader, 'format'> = { width, height, ...kind, interlaced: false };
  return pngFile(header, compressed, kind.colourType === 3 ? palette : undefined);
}

function optionsOf(colour: 'rgb' | 'grey', resizedTo: number): PreparationOptions {
  return {
    recipe: {
      colour,
      exifOrientation: 'ignore',
      resize: { mode: 'short-side', size: resizedTo, rounding: 'truncate' },
      crop: { width: side, height: side, offset: 'half-even' },
      interpolation: 'bicubic',
      pillow: '>=13',
    },
    tensor: { layout: 'nhwc', colour, elementType: 'uint8' },
  };
}

/** `resizedTo` equal to the crop's side reads nearly all of the image, a larger one its middle. */
async function outcomeOf(
  way: (typeof ways)[number],
  bytes: Uint8Array,
  colour: 'rgb' | 'grey' = 'rgb',
  resizedTo = side,
): Promise<string> {
  const outcome = await prepareFile(way, bytes, optionsOf(colour, resizedTo), side, side);
  if (!outcome.ok) return outcome.error.detail;
  return createHash('sha256').update(outcome.value.crop.data).digest('hex');
}

const accepted = /^[0-9a-f]{64}$/;
const rgb = kinds[2];
const lines = makeLines(rgb, [0, 1, 2, 3, 4]);
const stream = deflateSync(lines);
const lineBytes = 1 + width * 3;

function withUnknownFilter(row: number): Buffer {
  const changed = Buffer.from(lines);
  changed[row * lineBytes] = 5;
  return makePng(rgb, [deflateSync(changed)]);
}

function goingOnFor(bytes: number): Buffer {
  return makePng(rgb, [deflateSync(Buffer.concat([lines, Buffer.alloc(bytes)]))]);
}

const files: readonly (readonly [string, Buffer, RegExp])[] = [
  ['whole', makePng(rgb, [stream]), accepted],
  ['stored, not compressed', makePng(rgb, [deflateSync(lines, { level: 0 })]), accepted],
  [
    'in pieces of one byte, empty ones between',
    makePng(
      rgb,
      [...stream].flatMap((byte) => [Buffer.of(byte), Buffer.alloc(0)]),
    ),
    accepted,
  ],
  ['followed by other bytes', makePng(rgb, [stream, Buffer.from('more')]), accepted],
  ['without the end of its checksum', makePng(rgb, [stream.subarray(0, -2)]), accepted],
  ['without its checksum', makePng(rgb, [stream.subarray(0, -4)]), accepted],
  [
    'with a wrong checksum',
    makePng(rgb, [Buffer.concat([stream.subarray(0, -1), Buffer.of((stream.at(-1) ?? 0) ^ 1)])]),
    /cannot be decompressed: incorrect data check/,
  ],
  ['cut in its middle', makePng(rgb, [stream.subarray(0, stream.length / 2)]), /rows are missing/],
  [
    'a row short',
    makePng(rgb, [deflateSync(lines.subarray(0, -lineBytes))]),
    /rows are missing: expected 12871 bytes, found 12660/,
  ],
  ['a byte short', makePng(rgb, [deflateSync(lines.subarray(0, -1))]), /rows are missing/],
  ['going on for a byte', goingOnFor(1), accepted],
  ['going on for a row', goingOnFor(lineBytes), accepted],
  ['going on for a megabyte', goingOnFor(1 << 20), accepted],
  ['going on for longer', goingOnFor((1 << 20) + 1), /cannot be decompressed/],
  ['no zlib stream', makePng(rgb, [lines]), /cannot be decompressed/],
  ['with an unknown filter in the first row', withUnknownFilter(0), /unknown filter type 5/],
  ['with an unknown filter in the last row', withUnknownFilter(height - 1), /unknown filter/],
];

describe('rows that are not just so', () => {
  test.each(files)('%s', async (_, bytes, expected) => {
    for (const resizedTo of [side, 3 * side]) {
      const outcome = await outcomeOf(portable, bytes, 'rgb', resizedTo);
      expect(outcome).toMatch(expected);
      for (const way of others) {
        expect(await outcomeOf(way, bytes, 'rgb', resizedTo), way.name).toBe(outcome);
      }
    }
  });
});

describe.each(others)('$name undoes filters as the portable way does', (way) => {
  test.each(kinds)('colour type $colourType, $bitDepth bits', async (kind) => {
    for (const filters of [[0], [1], [2], [3], [4], [4, 3, 2, 1, 0]]) {
      const bytes = makePng(kind, [deflateSync(makeLines(kind, filters, 2))]);
      for (const colour of ['rgb', 'grey'] as const) {
        const expected = await outcomeOf(portable, bytes, colour);
        expect(expected).toMatch(accepted);
        expect(await outcomeOf(way, bytes, colour)).toBe(expected);
      }
    }
  });
});

const bindings = loadNativeBindings();

test.skipIf(!bindings.ok).each(kinds)(
  'the addon itself decodes colour type $colourType, $bitDepth bits',
  async (kind) => {
    if (!bindings.ok) throw new Error(bindings.error);
    const preparer = createNativePreparer(optionsOf('rgb', side), {
      ...bindings.value,
      preparePixels() {
        throw new Error('the rows were decoded in TypeScript');
      },
    });
    const bytes = makePng(kind, [deflateSync(makeLines(kind, [0, 1, 2, 3, 4]))]);
    const header = probeImage(bytes);
    if (!header.ok) throw new Error(header.error.detail);
    const target = new Uint8Array(3 * side * side);
    expect(await preparer.prepare(bytes, header.value, target, false)).toMatchObject({ ok: true });
  },
);

test('more colours than an index can name are refused by every way', async () => {
  const kind = kinds[4];
  const header: Omit<PngHeader, 'format'> = { width, height, ...kind, interlaced: false };
  const bytes = pngFile(header, [deflateSync(makeLines(kind, [0]))], Buffer.alloc(3 * 257));
  for (const way of ways) {
    expect(await outcomeOf(way, bytes)).toBe('PNG: the palette has more than 256 colours');
  }
});
