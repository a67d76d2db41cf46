/** What was found, for a message: cut to 60 characters and kept on one line. */
const MAX_ECHO = 60;

/** A value's kind and, where it is short, itself; `anObject` is what the reader calls an object. */
export function echoValue(value: unknown, anObject: string): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  }
  if (typeof value === 'object' && value !== null) {
    return anObject;
  }
  return typeof value === 'string' ? quote(value) : clip(String(value));
}

/** Text in quotes, with control characters replaced. */
export function quote(text: string): string {
  return JSON.stringify(clip(text)).replace(/[\p{Cc}\u2028\u2029]/gu, '\u{fffd}');
}

export function clip(text: string): string {
  const oneLine = text.slice(0, MAX_ECHO * 4).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  const characters = [...oneLine];
  return characters.length > MAX_ECHO || text.length > MAX_ECHO * 4
    ? `${characters.slice(0, MAX_ECHO - 1).join('')}…`
    : oneLine;
}
