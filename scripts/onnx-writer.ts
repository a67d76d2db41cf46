/**
 * Writes ONNX models (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) without the onnx
 * package: the few messages that a small classifier needs. Field numbers are that file's.
 */

/** Element types by their number in `TensorProto.DataType`. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
} as const;

export type ElementType = keyof typeof elementTypes;

/** A graph's input or output; a text dimension is free, an empty one free and nameless. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly (number | string)[];
}

/** A constant of the graph. With `location` its bytes stand in that file, beside the model. */
export interface OnnxInitializer {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  /** Little-endian elements, row by row. */
  readonly data: Uint8Array;
  readonly location?: string;
}

export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers and lists of them, text, `{ float }`, or the `{ graph }` of a loop. */
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: readonly OnnxInitializer[];
  /** 17 when absent. */
  readonly opset?: number;
}

const IR_VERSION = 8;
const OPSET = 17;

/** The bytes of a model file. Initializers with a `location` are described, not included. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  return message(
    integer(1, IR_VERSION),
    text(2, 'edge-infer test models'),
    bytes(7, encodeGraph(graph)),
    bytes(8, message(text(1, ''), integer(2, graph.opset ?? OPSET))),
  );
}

/** The bytes of each external data file that the graph's initializers name. */
export function encodeExternalData(graph: OnnxGraph): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array[]>();
  for (const { location, data } of graph.initializers ?? []) {
    if (location !== undefined) {
      files.set(location, [...(files.get(location) ?? []), data]);
    }
  }
  return new Map([...files].map(([location, parts]) => [location, Buffer.concat(parts)]));
}

/** Little-endian bytes of float32 values. */
export function float32Bytes(values: Iterable<number>): Uint8Array {
  const array = values instanceof Float32Array ? values : Float32Array.from(values);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Little-endian bytes of int64 values, for shapes. */
export function int64Bytes(values: Iterable<number>): Uint8Array {
  return new Uint8Array(BigInt64Array.from([...values].map(BigInt)).buffer);
}

function encodeGraph(graph: OnnxGraph): Uint8Array {
  const offsets = new Map<string, number>();
  return message(
    ...graph.nodes.map((node) => bytes(1, encodeNode(node))),
    text(2, 'graph'),
    ...(graph.initializers ?? []).map((each) => bytes(5, encodeInitializer(each, offsets))),
    ...graph.inputs.map((value) => bytes(11, encodeValue(value))),
    ...graph.outputs.map((value) => bytes(12, encodeValue(value))),
  );
}

function encodeNode(node: OnnxNode): Uint8Array {
  return message(
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(4, node.type),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      bytes(5, encodeAttribute(name, value)),
    ),
  );
}

function encodeAttribute(name: string, value: OnnxAttribute): Uint8Array {
  if (typeof value === 'number') {
    return message(text(1, name), integer(3, value), integer(20, 2));
  }
  if (typeof value === 'string') {
    return message(text(1, name), text(4, value), integer(20, 3));
  }
  if ('graph' in value) {
    return message(text(1, name), bytes(6, encodeGraph(value.graph)), integer(20, 5));
  }
  if ('float' in value) {
    return message(text(1, name), fixed32(2, value.float), integer(20, 1));
  }
  return message(text(1, name), ...value.map((each) => integer(8, each)), integer(20, 7));
}

function encodeInitializer(tensor: OnnxInitializer, offsets: Map<string, number>): Uint8Array {
  const head = [
    ...tensor.dims.map((dim) => integer(1, dim)),
    integer(2, elementTypes[tensor.elementType]),
    text(8, tensor.name),
  ];
  if (tensor.location === undefined) {
    return message(...head, bytes(9, tensor.data));
  }
  const offset = offsets.get(tensor.location) ?? 0;
  offsets.set(tensor.location, offset + tensor.data.length);
  const entry = (key: string, value: string) => bytes(13, message(text(1, key), text(2, value)));
  return message(
    ...head,
    entry('location', tensor.location),
    entry('offset', String(offset)),
    entry('length', String(tensor.data.length)),
    integer(14, 1),
  );
}

function encodeValue(value: OnnxValue): Uint8Array {
  const dims = value.dims.map((dim) => {
    if (dim === '') {
      return bytes(1, message());
    }
    return bytes(1, typeof dim === 'number' ? message(integer(1, dim)) : message(text(2, dim)));
  });
  const tensorType = message(
    integer(1, elementTypes[value.elementType]),
    bytes(2, message(...dims)),
  );
  return message(text(1, value.name), bytes(2, message(bytes(1, tensorType))));
}

// The wire format of protocol buffers: a key (field number, kind), then the value.

function message(...fields: Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function integer(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function fixed32(field: number, value: number): Uint8Array {
  return Buffer.concat([varint((field << 3) | 5), float32Bytes([value])]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value));
}

/** Seven bits a byte, lowest first; negative numbers as their 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const parts: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    parts.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(parts);
}
