import { type Fault, fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';

/** The contract's limit on base64 characters; white space does not count. */
const MAX_BASE64_CHARACTERS = 4 * 1024 * 1024;

const WHITE_SPACE = /[ \t\r\n]+/g;

export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/**
 * Decodes standard, padded base64. White space (Java's old encoder wraps lines) and the spare bits
 * before the padding are ignored; anything else outside the alphabet, a `data:` header, missing
 * padding or the url-safe alphabet is `INVALID_BASE64`; beyond 4 MiB `SIZE_OUT_OF_RANGE`.
 */
export function decodeBase64(text: string): Result<Uint8Array<ArrayBuffer>, Fault> {
  if (text.length <= MAX_BASE64_CHARACTERS) {
    const bytes = decodeCompact(text);
    if (bytes !== undefined) {
      return ok(bytes);
    }
  }
  const compact = text.replace(WHITE_SPACE, '');
  if (compact.length > MAX_BASE64_CHARACTERS) {
    return err(
      fault(
        'SIZE_OUT_OF_RANGE',
        `image: expected at most ${MAX_BASE64_CHARACTERS} base64 characters, received ${compact.length}`,
      ),
    );
  }
  const bytes = decodeCompact(compact);
  return bytes === undefined ? err(fault('INVALID_BASE64', describe(compact))) : ok(bytes);
}

/**
 * Decodes text without white space; `undefined` when it has any or is not base64. The engine's
 * decoder skips white space and tolerates missing padding, both of which show in the lengths.
 */
function decodeCompact(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) {
    return undefined;
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    return undefined; // the caller describes what is wrong
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
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
