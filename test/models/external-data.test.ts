import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeModel, type OnnxInitializer } from '../../scripts/onnx-writer.ts';
import { findExternalData } from '../../src/catalog/external-data.ts';
import { packageRoot } from '../support/server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const file = join(await temporaryFolder(), 'model.onnx');

function encodeWith(...tensors: Pick<OnnxInitializer, 'data' | 'location'>[]): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', elementType: 'float32', dims: ['N', 3] }],
    outputs: [{ name: 'y', elementType: 'float32', dims: ['N', 3] }],
    nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
    initializers: tensors.map((tensor, index) => ({
      name: `w${index}`,
      elementType: 'uint8',
      dims: [tensor.data.length],
      ...tensor,
    })),
  });
}

test('finds every file of weights once, behind weights of any size', async () => {
  const small = new Uint8Array(4);
  await writeFile(
    file,
    encodeWith(
      { data: new Uint8Array(200_000).fill(0x6a) },
      { data: small, location: 'b.bin' },
      { data: new Uint8Array(70_000).fill(0xff) },
      { data: small, location: 'weights/a.bin' },
      { data: small, location: 'b.bin' },
    ),
  );
  expect(await findExternalData(file)).toEqual(['b.bin', 'weights/a.bin']);
});

test('a model that holds its weights itself has none', async () => {
  const model = join(packageRoot, 'models/efficientnet-lite0/model.onnx');
  expect(await findExternalData(model)).toEqual([]);
});

test('ends on any bytes', async () => {
  const model = encodeWith({ data: new Uint8Array(9), location: 'w.bin' });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.nat(model.length - 1), fc.nat(255))
      .map(([position, value]) => model.with(position, value)),
    fc.nat(model.length).map((length) => model.slice(0, length)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      await writeFile(file, content);
      expect(await findExternalData(file)).toBeInstanceOf(Array);
    }),
    { numRuns: 500, interruptAfterTimeLimit: 5000 },
  );
});
