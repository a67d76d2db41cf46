import { err, ok, type Result } from '../core/result.ts';

/**
 * Class names in class order, from a `.json` file (an array of names) or any other text file
 * (a line each). The error is a sentence that names the file.
 */
export function parseLabels(file: string, text: string): Result<readonly string[], string> {
  const names = file.endsWith('.json') ? parseJsonArray(text) : parseLines(text);
  if (names === undefined) {
    return err(`${file}: expected a JSON array of class names (strings)`);
  }
  const empty = names.indexOf('');
  if (empty !== -1) {
    return err(`${file}: expected a name for every class, found none for class ${empty}`);
  }
  return names.length > 0 ? ok(names) : err(`${file}: expected class names, found none`);
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
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') {
    lines.pop(); // the file's last line break
  }
  return lines;
}
