import { err, ok, type Result } from '../core/result.ts';

/**
 * Parses JSON that is written in the one way that `JSON.stringify` writes it: no spaces, no
 * duplicate keys, no second spelling of a number or a character. The error is a sentence.
 */
export function parseCanonicalJson(bytes: Buffer): Result<unknown, string> {
  let value: unknown;
  let canonical: string;
  try {
    value = JSON.parse(bytes.toString());
    canonical = JSON.stringify(value); // fails where lists are nested by the thousand
  } catch {
    return err('expected JSON, found something else'); // the parser's words quote what it read
  }
  // Bytes, not text: decoding would hide wrong UTF-8.
  return Buffer.from(canonical).equals(bytes)
    ? ok(value)
    : err('expected JSON without spaces, duplicate keys or other spellings, found some of these');
}
