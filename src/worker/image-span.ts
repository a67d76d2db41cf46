/** Where a body holds its image, and what else it holds. */
export interface ImageSpan {
  /** The base64 between its quotes is `body[start..end)`, JSON escapes and all; nobody has read it. */
  readonly start: number;
  readonly end: number;
  /** The body's fields, the image's text aside. */
  readonly fields: object;
}

/** Beyond this many bytes beside the image a body is unusual. */
const MAX_OTHER_BYTES = 1024;

/** Longer than every string that the rest of a usual body can hold, and so equal to none of them. */
const STAND_IN = 'A'.repeat(MAX_OTHER_BYTES + 1);

const QUOTE = 0x22;

// Fatal: invalid UTF-8 is not JSON. A byte order mark at the start is skipped.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Finds the image of a usual body without reading its text: the body must be JSON, with this image
 * as the one that counts, when something short stands in the text's place. It then is JSON as a
 * whole too, provided that the text itself is the inside of a JSON string: the caller has to check
 * that. Undefined when the body is unusual or wrong, which tells nothing about it.
 */
export function findImage(body: Buffer): ImageSpan | undefined {
  const name = body.indexOf('"image"', 0, 'latin1');
  if (name === -1) {
    return undefined;
  }
  // Were the next bytes not a colon and a quote, what follows would not be found as the image.
  const colon = skipWhiteSpace(body, name + '"image"'.length);
  const start = skipWhiteSpace(body, colon + 1) + 1;
  const end = body.indexOf(QUOTE, start);
  if (end === -1 || body.length - (end - start) > MAX_OTHER_BYTES) {
    return undefined;
  }
  const fields = parse(body.subarray(0, start), body.subarray(end));
  return fields?.image === STAND_IN ? { start, end, fields } : undefined;
}

/** JSON's white space: space, tab, line feed, carriage return. */
function skipWhiteSpace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) {
    at++;
  }
  return at;
}

function parse(before: Buffer, after: Buffer): { readonly image?: unknown } | undefined {
  try {
    const text = utf8.decode(before) + STAND_IN + utf8.decode(after);
    return JSON.parse(text) as { readonly image?: unknown };
  } catch {
    return undefined; // the caller says what is wrong
  }
}
