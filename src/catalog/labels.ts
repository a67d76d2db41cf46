import { err, ok, type Result } from '../core/result.ts';

/**
 * Class names in class order, from a `.json` file (an array of names) or any other text file
 * (a line each), in UTF-8 with or without a byte order mark. Names are kept as they are, Chinese
 * and `[default]` included. The error is a sentence that names the file.
 */
export function parseLabels(file: string, bytes: Uint8Array): Result<readonly string[], string> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return err(`${file}: expected class names in UTF-8, found another encoding; convert the file`);
  }
  const names = file.endsWith('.json') ? parseJsonArray(text) : parseLines(text);
  if (names === undefined) {
    return err(`${file}: expected a JSON array of class names (strings), found something else`);
  }
  if (names.length === 0) {
    return err(`${file}: expected class names, found none`);
  }
  const empty = names.findIndex((name) => name.trim() === '');
  return empty === -1
    ? ok(names)
    : err(`${file}: expected a name for every class, found none for class ${empty}`);
}

function parseJsonArray(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((name) => typeof name === 'string')
      ? value
      : undefined;
  } catch {
    return undefined; // the caller's message says what was expected
  }
}

function parseLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') {
    lines.pop(); // the file's last line break
  }
  return lines;
}
