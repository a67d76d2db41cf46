import { type FileHandle, open } from 'node:fs/promises';

/**
 * The messages of an ONNX file in which tensors can stand, each with its fields that lead further
 * (numbers from onnx.proto). Everything else is skipped unread, weights above all.
 */
const messages = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor' },
  function: { 7: 'node' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph' },
  tensor: { 13: 'entry' },
  entry: {},
} as const satisfies Record<string, Readonly<Record<number, string>>>;

type MessageKind = keyof typeof messages;

const KEY_FIELD = 1;
const VALUE_FIELD = 2;
const MAX_DEPTH = 64;
const MAX_ENTRY_BYTES = 4096;
const WINDOW_BYTES = 64 * 1024;
/** A varint of 64 bits takes at most this many bytes. */
const MAX_VARINT_BYTES = 10;

/**
 * Names of the files, relative to the model's own, in which an ONNX model keeps weights
 * ("external data"). A file that is no ONNX model gives what was found up to there: telling what
 * is wrong with it is left to the runtime.
 */
export async function findExternalData(modelFile: string): Promise<string[]> {
  const file = await open(modelFile);
  try {
    const { size } = await file.stat();
    const names = new Set<string>();
    await collect(createReader(file), 'model', 0, size, 0, names);
    return [...names].sort();
  } finally {
    await file.close();
  }
}

async function collect(
  reader: Reader,
  kind: MessageKind,
  start: number,
  end: number,
  depth: number,
  names: Set<string>,
): Promise<void> {
  const fields: Readonly<Record<number, MessageKind>> = messages[kind];
  let position = start;
  let key: string | undefined;
  while (position < end && depth < MAX_DEPTH) {
    const field = await readField(reader, position, end);
    if (field === undefined) {
      return;
    }
    position = field.end;
    const child = fields[field.number];
    if (field.isNested && child !== undefined) {
      await collect(reader, child, field.start, field.end, depth + 1, names);
    } else if (kind === 'entry' && field.end - field.start <= MAX_ENTRY_BYTES) {
      if (field.number === KEY_FIELD) {
        key = await reader.readText(field.start, field.end);
      } else if (field.number === VALUE_FIELD && key === 'location') {
        names.add(await reader.readText(field.start, field.end));
      }
    }
  }
}

interface Field {
  readonly number: number;
  /** Holds bytes: text, data or a message. */
  readonly isNested: boolean;
  readonly start: number;
  readonly end: number;
}

/** The field at `position`; undefined when the bytes are no protocol buffer. */
async function readField(
  reader: Reader,
  position: number,
  end: number,
): Promise<Field | undefined> {
  const key = await reader.readVarint(position);
  const number = Math.floor(key.value / 8);
  const wireType = key.value % 8;
  if (wireType === 2) {
    const length = await reader.readVarint(key.end);
    const fieldEnd = length.end + length.value;
    return fieldEnd <= end
      ? { number, isNested: true, start: length.end, end: fieldEnd }
      : undefined;
  }
  const scalarEnd = { 0: (await reader.readVarint(key.end)).end, 1: key.end + 8, 5: key.end + 4 }[
    wireType
  ];
  return scalarEnd !== undefined && scalarEnd <= end
    ? { number, isNested: false, start: key.end, end: scalarEnd }
    : undefined;
}

interface Reader {
  readVarint(position: number): Promise<{ readonly value: number; readonly end: number }>;
  readText(start: number, end: number): Promise<string>;
}

/** Reads a file through a window, since most fields are a few bytes long. */
function createReader(file: FileHandle): Reader {
  const window = Buffer.alloc(WINDOW_BYTES);
  let windowStart = 0;
  let windowLength = 0;

  /** The bytes from `position` on, fewer than `length` only at the end of the file. */
  async function bytesAt(position: number, length: number): Promise<Buffer> {
    if (position < windowStart || position + length > windowStart + windowLength) {
      windowStart = position;
      windowLength = (await file.read(window, 0, WINDOW_BYTES, position)).bytesRead;
    }
    const offset = position - windowStart;
    return window.subarray(offset, Math.min(offset + length, windowLength));
  }

  return {
    async readVarint(position) {
      let value = 0;
      let length = 0;
      for (const byte of await bytesAt(position, MAX_VARINT_BYTES)) {
        value += (byte & 0x7f) * 2 ** (7 * length);
        length++;
        if (byte < 0x80) {
          break;
        }
      }
      return { value, end: position + Math.max(length, 1) };
    },
    readText: async (start, end) => (await bytesAt(start, end - start)).toString('utf8'),
  };
}
