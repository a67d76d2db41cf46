import type { WrittenManifest } from '../../scripts/model-folder.ts';
import { encodeModel } from '../../scripts/onnx-writer.ts';
import {
  buildGraph,
  classifier,
  type FolderChanges,
  writeClassifier,
} from '../support/onnx-model.ts';

type Int8 = NonNullable<WrittenManifest['variants']>['int8'];

export const INT8_AGREEMENT = { images: 200, sameClass: 0.95 };

/** A manifest with a second graph, `int8.onnx`, as its variant int8. */
export function withInt8(manifest: WrittenManifest, int8: Partial<Int8>): WrittenManifest {
  const golden = { scoreTolerance: 0.01, examples: [] };
  return {
    ...manifest,
    variants: { int8: { model: 'int8.onnx', agreement: INT8_AGREEMENT, golden, ...int8 } },
  };
}

const weights = [
  [0, 0, 0],
  [0, 0, 0],
];

/**
 * Writes a model whose variants can be told apart by their answers to any picture: float32 prefers
 * `class 0`, int8 `class 1`. `int8` is what the manifest says of that beside its graph.
 */
export function writeTwoVariants(
  folder: string,
  int8: Partial<Int8>,
  changes: FolderChanges = {},
): Promise<string> {
  const graph = buildGraph(classifier({ weights, bias: [0, 5] }));
  return writeClassifier(folder, classifier({ weights, bias: [5, 0] }), {
    manifest: (manifest) => withInt8(changes.manifest?.(manifest) ?? manifest, int8),
    files: { 'int8.onnx': encodeModel(graph), ...changes.files },
  });
}
