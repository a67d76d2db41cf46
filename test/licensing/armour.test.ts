import { expect, test } from 'vitest';
import {
  findLabel,
  maxDocumentBytes,
  readArmour,
  writeArmour,
} from '../../src/licensing/armour.ts';

const labels = ['LICENSE', 'LICENSE REQUEST', 'LICENSE RELEASE', 'REVOCATION LIST'] as const;

function explain(text: string | Buffer): string {
  const result = readArmour(Buffer.from(text), 'LICENSE');
  return result.ok ? 'accepted' : result.error;
}

test('any bytes come back, in lines of at most 64 characters', () => {
  for (const label of labels) {
    for (let length = 1; length < 200; length++) {
      const bytes = Buffer.alloc(length, 251);
      const text = writeArmour(label, bytes);
      expect(text).toMatch(
        /^-----BEGIN [A-Z -]+-----\n([\w-]{64}\n)*[\w-]{1,64}\n-----END [A-Z -]+-----\n$/,
      );
      expect(readArmour(Buffer.from(text), label)).toEqual({ ok: true, value: bytes });
    }
  }
});

test('the first line tells what a document is', () => {
  for (const label of labels) {
    const text = writeArmour(label, Buffer.from('x'));
    expect(findLabel(Buffer.from(text))).toBe(label);
    expect(findLabel(Buffer.from(text.replaceAll('\n', '\r\n')))).toBe(label);
    expect(findLabel(Buffer.from(text.slice(1)))).toBeUndefined();
  }
});

test('a document of another kind is named', () => {
  for (const label of labels.filter((name) => name !== 'LICENSE')) {
    expect(explain(writeArmour(label, Buffer.from('x')))).toBe(
      `expected a LICENSE, found a ${label}`,
    );
  }
});

test('what is wrong is told by line', () => {
  const text = writeArmour('LICENSE', Buffer.alloc(100));
  const begin = 'line 1: expected "-----BEGIN EDGE-INFER LICENSE-----", found';
  const line = 'expected 64 characters A-Z a-z 0-9 - _, found';
  expect(explain('')).toBe(`${begin} an empty file`);
  expect(explain(`\ufeff${text}`)).toBe(
    `${begin} a byte order mark before it; save the file without one`,
  );
  expect(explain(Buffer.from(`\ufeff${text}`, 'utf16le'))).toBe(
    `${begin} UTF-16; save the file as plain ASCII text`,
  );
  expect(explain('<html>')).toBe(`${begin} something else`);
  expect(explain(text.replace('A\n', '\n'))).toBe(`line 2: ${line} 63 of them`);
  expect(explain(text.replace('A\n-', 'ü\n-'))).toBe(`line 4: ${line} others`);
  expect(explain(text.replace('\n', '\r\n'))).toBe(
    'expected the same line end on every line, found several kinds',
  );
  expect(explain(text.trimEnd())).toBe('expected one line end after the END line, found none');
  expect(explain(`${text} `)).toBe('expected one line end after the END line, found more text');
  expect(explain(text.replace('A\n-', 'B\n-'))).toBe(
    'expected canonical base64url, found bits after the last byte',
  );
});

test('only a revocation list may be long', () => {
  for (const label of labels) {
    const text = writeArmour(label, Buffer.alloc(20_000));
    expect(readArmour(Buffer.from(text), label).ok, label).toBe(label === 'REVOCATION LIST');
  }
  expect(maxDocumentBytes.LICENSE).toBe(16_384);
});
