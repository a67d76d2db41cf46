import { type Fault, fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NativeBindings } from '../platform/native-bindings.ts';

/** The contract's limit on base64 characters; white space does not count. */
const MAX_BASE64_CHARACTERS = 4 * 1024 * 1024;

/** The longest image that the limit leaves room for. */
export const MAX_IMAGE_BYTES = (MAX_BASE64_CHARACTERS / 4) * 3;

/**
 * Decodes the base64 in `body[start..end)`, with a quote on either side and none within, into
 * `target`, and returns how many bytes it wrote. Undefined unless the text is the inside of a JSON
 * string (escapes allowed, raw control characters not) and `decodeBase64` would accept it; a
 * decoder may give up on text that is merely unusual.
 */
export type RawBase64Decoder = (
  body: Buffer,
  start: number,
  end: number,
  target: Uint8Array,
) => number | undefined;

const WHITE_SPACE = /[ \t\r\n]+/g;
const BACKSLASH = 0x5c;

export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/** The decoder that needs nothing but the engine. */
export const decodeRawBase64: RawBase64Decoder = (body, start, end, target) => {
  if (!body.subarray(start, end).includes(BACKSLASH)) {
    // Raw line breaks, which the engine would skip, show in the lengths that are compared.
    return decodeCompact(body.toString('latin1', start, end), target);
  }
  let text: string;
  try {
    text = JSON.parse(body.toString('latin1', start - 1, end + 1)) as string;
  } catch {
    return undefined;
  }
  return decodeSpaced(text, target);
};

/** The addon's decoder where there is one: it reads escapes and line breaks as fast as all else. */
export function chooseDecoder(bindings: NativeBindings | undefined): RawBase64Decoder {
  if (bindings === undefined) {
    return decodeRawBase64;
  }
  return (body, start, end, target) => {
    const written = bindings.decodeBase64(body, start, end, target);
    return written === -1 ? undefined : written;
  };
}

/**
 * Decodes standard, padded base64 into `target`, which must hold `MAX_IMAGE_BYTES`, and returns the
 * part of it that was written. White space (Java's old encoder wraps lines) and the spare bits
 * before the padding are ignored; anything else outside the alphabet, a `data:` header, missing
 * padding or the url-safe alphabet is `INVALID_BASE64`; beyond 4 MiB `SIZE_OUT_OF_RANGE`.
 */
export function decodeBase64<Target extends Uint8Array>(
  text: string,
  target: Target,
): Result<Uint8Array<Target['buffer']>, Fault> {
  const compact = text.replace(WHITE_SPACE, '');
  if (compact.length > MAX_BASE64_CHARACTERS) {
    return err(
      fault(
        'SIZE_OUT_OF_RANGE',
        `image: expected at most ${MAX_BASE64_CHARACTERS} base64 characters, received ${compact.length}`,
      ),
    );
  }
  const byteCount = decodeCompact(compact, target);
  return byteCount === undefined
    ? err(fault('INVALID_BASE64', describe(compact)))
    : ok(target.subarray(0, byteCount));
}

/**
 * Decodes text without white space; undefined when it has any, is not base64 or does not fit. The
 * engine's decoder skips white space, tolerates missing padding and stops where the target ends,
 * all of which show in the lengths.
 */
function decodeCompact(text: string, target: Uint8Array): number | undefined {
  if (text.length % 4 !== 0) {
    return undefined;
  }
  let written: number;
  try {
    ({ written } = target.setFromBase64(text));
  } catch {
    return undefined; // the caller describes what is wrong
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return written === (text.length / 4) * 3 - padding ? written : undefined;
}

/**
 * Decodes text with or without white space; undefined where that is doubtful: the engine skips form
 * feeds too, and is strict about spare bits when it is about padding.
 */
function decodeSpaced(text: string, target: Uint8Array): number | undefined {
  if (text.includes('\f')) {
    return undefined;
  }
  try {
    const { read, written } = target.setFromBase64(text, { lastChunkHandling: 'strict' });
    return read === text.length ? written : undefined;
  } catch {
    return undefined; // the caller tries otherwise, or describes what is wrong
  }
}

/** Says what is wrong without repeating the data. */
function describe(compact: string): string {
  const expected = 'image: expected base64 with the alphabet A-Z a-z 0-9 + / and = padding';
  if (/^data:/i.test(compact)) {
    return `${expected}, received a "data:" header; send only what follows its comma`;
  }
  const stray = /[^A-Za-z0-9+/=]/.exec(compact);
  if (stray !== null) {
    const hint = /[-_]/.test(stray[0]) ? ' (the url-safe alphabet is not accepted)' : '';
    const codePoint = compact.codePointAt(stray.index) ?? 0;
    const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
    return `${expected}, received the character ${name} at position ${stray.index}${hint}`;
  }
  if (compact.length % 4 !== 0) {
    return `${expected}, received ${compact.length} characters, which is not a multiple of 4; the end or the padding is missing`;
  }
  return `${expected}, received "=" before the end`;
}
