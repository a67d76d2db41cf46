import { err, ok, type Result } from '../core/result.ts';

/**
 * Bytes as groups of letters and digits to be typed or read out: Crockford's base32 in lines of 28
 * characters and two check characters, so that a mistake is found in the line where it was made.
 *
 * A line's check characters are, in the field of 32 elements (x^5 + x^2 + 1, a = x), the sum of its
 * symbols c(i) and the sum of a^i c(i); the line's number counts as symbol 30. One wrong character
 * thus tells its place, two neighbours that were swapped never pass, nor do lines in another order.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP = 5;
const GROUPS_A_LINE = 6;
const LINE = GROUP * GROUPS_A_LINE;
const CHECKS = 2;
const PAYLOAD = LINE - CHECKS;
const LINE_NUMBER_PLACE = 30;
const FIELD_POLYNOMIAL = 0b100101;
const ORDER = 31;

/** Powers of a. */
const powers: readonly number[] = Array.from({ length: ORDER }).reduce<number[]>((list) => {
  const next = (list.at(-1) ?? 0) << 1;
  return list.length === 0 ? [1] : [...list, next > ORDER ? next ^ FIELD_POLYNOMIAL : next];
}, []);

/** Lines of six groups of five, the last one shorter; LF between them. */
export function writeGroups(bytes: Uint8Array): string {
  const symbols = toSymbols(bytes);
  const lines = Array.from({ length: Math.ceil(symbols.length / PAYLOAD) }, (_, number) => {
    const payload = symbols.slice(number * PAYLOAD, (number + 1) * PAYLOAD);
    const line = [...payload, ...checksOf(payload, number)].map((symbol) => alphabet[symbol]);
    return line.join('').replaceAll(/.{5}(?=.)/g, '$& ');
  });
  return lines.join('\n');
}

/**
 * Reads groups however they are spaced and in either case, with O for 0 and I or L for 1. The error
 * says in which line a mistake is and, where it can be told, which character. `lengthOf` tells from
 * the first bytes how many there must be.
 */
export function readGroups(
  text: string,
  lengthOf: (start: Buffer) => number | undefined,
): Result<Buffer, string> {
  const typed = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.toUpperCase().replaceAll(/[\s\p{Pd}]/gu, ''))
    .filter((line) => line !== '');
  for (const [number, line] of typed.entries()) {
    const wrong = line.search(/[^0-9A-TV-Z]/);
    if (wrong !== -1) {
      return err(
        `line ${number + 1}, ${place(wrong)}: expected groups of digits and letters other than U, found another character`,
      );
    }
  }
  // Mail programs break lines elsewhere, and a QR code has none.
  const joined = typed.join('').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  const isWholeAsJoined = joined.every((line, number) => explain(line, number) === undefined);
  const lines = isWholeAsJoined || typed.length === 1 ? joined : typed;
  const problems = lines.flatMap((line, number) => {
    const isShort = number < lines.length - 1 && line.length !== LINE;
    const problem =
      isShort || line.length > LINE
        ? `expected ${LINE} characters, found ${line.length}`
        : explain(line, number);
    return problem === undefined ? [] : [`line ${number + 1}: ${problem}`];
  });
  if (problems.length > 0) return err(problems.join('; '));
  const bytes = toBytes(lines.flatMap((line) => [...line].slice(0, -CHECKS).map(symbolOf)));
  const expected = lengthOf(bytes) ?? bytes.length + 1;
  if (expected > bytes.length) {
    const wanted = Math.ceil((expected * 8) / 5 / PAYLOAD);
    return err(`expected ${Math.max(wanted, lines.length + 1)} lines, found ${lines.length}`);
  }
  return ok(bytes);
}

/** What is wrong with a line, as far as it can be told; undefined when nothing is. */
function explain(line: string, number: number): string | undefined {
  const symbols = [...line].map(symbolOf);
  const payload = symbols.slice(0, -CHECKS);
  if (payload.length === 0) return 'expected more characters';
  const [sum = 0, weighted = 0] = checksOf(payload, number);
  const sumError = sum ^ (symbols.at(-2) ?? 0);
  const weightedError = weighted ^ (symbols.at(-1) ?? 0);
  if (sumError === 0 && weightedError === 0) return undefined;
  if (sumError !== 0 && weightedError !== 0) {
    const at = (powers.indexOf(weightedError) - powers.indexOf(sumError) + ORDER) % ORDER;
    const right = (symbol: number) => symbol ^ sumError;
    if (at === LINE_NUMBER_PLACE) return `it looks like line ${right(number) + 1}`;
    const found = payload[at];
    if (found !== undefined) {
      return `a mistake, probably ${place(at)}: ${alphabet[found]} where ${alphabet[right(found)]} belongs`;
    }
  }
  return 'a mistake in it, or two characters that changed places';
}

function place(at: number): string {
  return `character ${(at % GROUP) + 1} of group ${Math.floor(at / GROUP) + 1}`;
}

function checksOf(payload: readonly number[], lineNumber: number): readonly [number, number] {
  const number = lineNumber % alphabet.length;
  return [
    payload.reduce((sum, symbol) => sum ^ symbol, number),
    payload.reduce(
      (sum, symbol, index) => sum ^ times(symbol, index),
      times(number, LINE_NUMBER_PLACE),
    ),
  ];
}

/** `symbol` times a to the power `exponent`. */
function times(symbol: number, exponent: number): number {
  return symbol === 0 ? 0 : (powers[(powers.indexOf(symbol) + exponent) % ORDER] ?? 0);
}

function symbolOf(character: string): number {
  return alphabet.indexOf(character.replace('O', '0').replace(/[IL]/, '1'));
}

/** Five bits each, the last ones filled up with zeros. */
function toSymbols(bytes: Uint8Array): readonly number[] {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => Number.parseInt(five.padEnd(5, '0'), 2));
}

function toBytes(symbols: readonly number[]): Buffer {
  const bits = symbols.map((symbol) => symbol.toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}
