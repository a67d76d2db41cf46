import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readGroups, writeGroups } from '../../src/licensing/typed-groups.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const bytes = Buffer.from(Array.from({ length: 122 }, (_, index) => (index * 151 + 43) % 256));
const text = writeGroups(bytes);
const lines = text.split('\n');
const read = (typed: string) => readGroups(typed, () => bytes.length);
const errorOf = (typed: string) => {
  const outcome = read(typed);
  return outcome.ok ? 'no error' : outcome.error;
};
/** The text with one line changed; `change` gets the line without its spaces. */
const withLine = (number: number, change: (line: string) => string) =>
  lines
    .map((line, index) => (index === number ? change(line.replaceAll(' ', '')) : line))
    .join('\n');

test('groups are read back, whatever their number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (some) => {
      const outcome = readGroups(writeGroups(some), () => some.length);
      expect(outcome).toEqual({ ok: true, value: Buffer.from(some) });
    }),
  );
});

test('lines are six groups of five', () => {
  expect(lines[0]).toMatch(/^([0-9A-TV-Z]{5} ){5}[0-9A-TV-Z]{5}$/);
  expect(lines).toHaveLength(7);
});

test.each<[string, (typed: string) => string]>([
  ['small letters', (typed) => typed.toLowerCase()],
  [
    'O for 0, I and L for 1',
    (typed) => typed.replaceAll('0', 'O').replace('1', 'I').replaceAll('1', 'l'),
  ],
  ['dashes', (typed) => typed.replaceAll(' ', '-')],
  ['no spaces', (typed) => typed.replaceAll(' ', '')],
  ['one line', (typed) => typed.replaceAll(/\s/g, '')],
  ['lines broken elsewhere', (typed) => typed.replaceAll(/\s/g, '').replaceAll(/.{17}/g, '$&\n')],
  ['blank lines and CRLF', (typed) => `\r\n${typed.replaceAll('\n', '\r\n\r\n')}\r\n`],
])('groups may be typed with %s', (_, change) => {
  expect(read(change(text))).toEqual({ ok: true, value: bytes });
});

test('every wrong character is found where it stands', () => {
  for (const [number, line] of lines.entries()) {
    const characters = line.replaceAll(' ', '');
    for (let at = 0; at < characters.length; at++) {
      for (const wrong of alphabet) {
        const right = characters[at] ?? '';
        if (wrong === right) continue;
        const typed = withLine(
          number,
          () => characters.slice(0, at) + wrong + characters.slice(at + 1),
        );
        // The check characters themselves are only known to be among what is wrong.
        const isCheck = at >= characters.length - 2;
        const where = `probably character ${(at % 5) + 1} of group ${Math.floor(at / 5) + 1}: ${wrong} where ${right} belongs`;
        expect(errorOf(typed)).toBe(
          isCheck
            ? `line ${number + 1}: a mistake in it, or two characters that changed places`
            : `line ${number + 1}: a mistake, ${where}`,
        );
      }
    }
  }
});

test('two neighbours that changed places never pass', () => {
  for (const [number, line] of lines.entries()) {
    const characters = line.replaceAll(' ', '');
    for (let at = 0; at + 1 < characters.length; at++) {
      const swapped = `${characters.slice(0, at)}${characters[at + 1]}${characters[at]}${characters.slice(at + 2)}`;
      if (swapped === characters) continue;
      expect(errorOf(withLine(number, () => swapped))).toMatch(
        new RegExp(`^line ${number + 1}: a mistake`),
      );
    }
  }
});

test('a line of another length, in another place or left out is named', () => {
  expect(errorOf(withLine(2, (line) => line.slice(1)))).toBe(
    'line 3: expected 30 characters, found 29',
  );
  expect(errorOf(withLine(4, (line) => `${line}7`))).toBe(
    'line 5: expected 30 characters, found 31',
  );
  const [first = '', second = '', ...others] = lines;
  expect(errorOf([second, first, ...others].join('\n'))).toBe(
    'line 1: it looks like line 2; line 2: it looks like line 1',
  );
  expect(errorOf(lines.slice(0, -1).join('\n'))).toBe('expected 7 lines, found 6');
  expect(errorOf(withLine(1, (line) => `${line.slice(0, 7)}U${line.slice(8)}`))).toBe(
    'line 2, character 3 of group 2: expected groups of digits and letters other than U, found another character',
  );
});
