import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { planResample } from '../../src/imaging/geometry.ts';
import { createNativeJob } from '../../src/imaging/native-job.ts';
import { loadNativeBindings, type NativeBindings } from '../../src/platform/native-bindings.ts';

const loaded = loadNativeBindings();
const side = 16;
const stream = deflateSync(Buffer.alloc(side * (side + 1)));
const resize = { mode: 'stretch', width: side, height: side } as const;

interface Call {
  pieces: Uint32Array;
  colourType: number;
  bitDepth: number;
  palette: Uint8Array;
  orientation: number;
}
const good: Call = {
  pieces: Uint32Array.of(0, stream.length),
  colourType: 0,
  bitDepth: 8,
  palette: new Uint8Array(0),
  orientation: 1,
};

function prepare(bindings: NativeBindings, call: Partial<Call>): number | null {
  const { pieces, colourType, bitDepth, palette, orientation } = { ...good, ...call };
  const job = createNativeJob(
    { width: side, height: side, orientation },
    planResample(side, side, { resize, pillow: '>=13' }),
    {
      interpolation: 'bilinear',
      channels: 1,
      layout: 'nhwc',
      colour: 'grey',
      tensorTable: new Uint8Array(256),
    },
    new Uint8Array(side * side),
    undefined,
  );
  return bindings.preparePng(stream, pieces, colourType, bitDepth, palette, ...job);
}

describe.skipIf(!loaded.ok)('preparePng', () => {
  if (!loaded.ok) return;
  const bindings = loaded.value;

  test('takes rows in one piece and in many', () => {
    expect(prepare(bindings, {})).toBeGreaterThan(0);
    expect(prepare(bindings, { pieces: Uint32Array.of(0, 5, 5, 5, 5, stream.length) })).not.toBe(
      null,
    );
  });

  test.each([
    ['pieces beyond the file', { pieces: Uint32Array.of(0, stream.length + 1) }],
    ['a piece that ends before it starts', { pieces: Uint32Array.of(9, 8) }],
    ['pieces that overlap', { pieces: Uint32Array.of(0, stream.length, 0, stream.length) }],
    ['samples of four bits', { bitDepth: 4 }],
    ['a palette of 16 bits', { colourType: 3, bitDepth: 16 }],
    ['a colour type that does not exist', { colourType: 1 }],
    ['more colours than an index can name', { palette: new Uint8Array(3 * 257) }],
    ['an image that is turned', { orientation: 3 }],
  ])('refuses %s', (_, call) => {
    expect(() => prepare(bindings, call)).toThrow(RangeError);
  });
});
