import { type Fault, fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, isBlank, MAX_IMAGE_BYTES, type RawBase64Decoder } from './base64.ts';
import { findImage } from './image-span.ts';

export interface ImageRequest {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly topNum: number;
}

/** Returned when `top_num` is absent; the contract's number. */
const DEFAULT_TOP_NUM = 6;

// Fatal: invalid UTF-8 is not JSON. A byte order mark at the start is skipped.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Returns a reader of the bodies of image classification requests. Its images lie in memory that it
 * uses again: each is gone with the next call. With several faults at once the first in the
 * contract's order counts: JSON, object, image present, its type, top_num, size, base64.
 */
export function createRequestReader(
  decodeRaw: RawBase64Decoder,
): (body: Buffer) => Result<ImageRequest, Fault> {
  const target = new Uint8Array(MAX_IMAGE_BYTES);
  return (body) => readUsual(body, decodeRaw, target) ?? readAny(body, target);
}

/** Spares a usual body without faults, whose image is nearly all of it, being parsed as text. */
function readUsual(
  body: Buffer,
  decodeRaw: RawBase64Decoder,
  target: Uint8Array<ArrayBuffer>,
): Result<ImageRequest, Fault> | undefined {
  const found = findImage(body);
  if (found === undefined) {
    return undefined;
  }
  const topNum = parseTopNum(readField(found.fields, 'top_num'));
  const byteCount = decodeRaw(body, found.start, found.end, target);
  return topNum.ok && byteCount !== undefined && byteCount > 0
    ? ok({ image: target.subarray(0, byteCount), topNum: topNum.value })
    : undefined;
}

function readAny(body: Buffer, target: Uint8Array<ArrayBuffer>): Result<ImageRequest, Fault> {
  const json = parseJson(body);
  if (!json.ok) {
    return json;
  }
  const fields = json.value;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return err(
      fault('INVALID_ARGUMENT', `the body: expected a JSON object, received ${nameType(fields)}`),
    );
  }
  const image = readField(fields, 'image');
  if (image === undefined || image === null || (typeof image === 'string' && isBlank(image))) {
    const received = image === undefined ? 'no such field' : describeEmpty(image);
    return err(
      fault('IMAGE_MISSING', `image: expected base64 of a JPEG, PNG or BMP, received ${received}`),
    );
  }
  if (typeof image !== 'string') {
    return err(
      fault('INVALID_ARGUMENT', `image: expected a base64 string, received ${nameType(image)}`),
    );
  }
  const topNum = parseTopNum(readField(fields, 'top_num'));
  if (!topNum.ok) {
    return topNum;
  }
  const bytes = decodeBase64(image, target);
  return bytes.ok ? ok({ image: bytes.value, topNum: topNum.value }) : bytes;
}

function parseJson(body: Buffer): Result<unknown, Fault> {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return err(fault('INVALID_JSON', describeUndecodable(body)));
  }
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    return err(fault('INVALID_JSON', describeJsonError((error as Error).message, text)));
  }
}

function describeUndecodable(body: Buffer): string {
  return body[0] === 0x1f && body[1] === 0x8b
    ? 'the body: expected JSON, received gzip; send it uncompressed'
    : 'the body: expected JSON in UTF-8, received bytes that are not UTF-8';
}

/** The engine's message quotes the text, image data included, so only its position is used. */
function describeJsonError(engineMessage: string, text: string): string {
  if (text.trim() === '') {
    return 'the body: expected a JSON object, received nothing';
  }
  const position = /at position (\d+)/.exec(engineMessage)?.[1];
  const where = position === undefined ? '' : ` at character ${position}`;
  if (engineMessage.startsWith('Bad control character')) {
    return `the body is not JSON: a raw line break or control character stands inside a string${where}; write the base64 on one line (base64 -w0)`;
  }
  return `the body is not JSON${where}: expected a JSON object such as {"image":"<base64>","top_num":5}`;
}

function readField(fields: object, name: string): unknown {
  return Object.hasOwn(fields, name) ? (fields as Record<string, unknown>)[name] : undefined;
}

/** A whole number >= 1, or the same in ASCII digits, as old clients send it. */
function parseTopNum(value: unknown): Result<number, Fault> {
  if (value === undefined) {
    return ok(DEFAULT_TOP_NUM);
  }
  const number = typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value;
  // Digits beyond the range of doubles become Infinity: more classes than any model has.
  if (
    typeof number === 'number' &&
    number >= 1 &&
    (Number.isInteger(number) || number === Infinity)
  ) {
    return ok(number);
  }
  const received = typeof value === 'number' ? String(value) : nameType(value);
  return err(
    fault('INVALID_ARGUMENT', `top_num: expected a whole number >= 1, received ${received}`),
  );
}

function describeEmpty(value: unknown): string {
  return value === null ? 'null' : 'an empty string';
}

function nameType(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'an array';
  }
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'a boolean';
    default:
      return 'an object';
  }
}
