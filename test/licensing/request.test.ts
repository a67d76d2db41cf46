import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRequest, decodeRequest, encodeRequest } from '../../src/licensing/request.ts';
import {
  describeRequest,
  parseRequest,
  writeRequestFile,
  writeRequestGroups,
} from '../../src/licensing/request-texts.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { anyRequest, largestRequest } from './any-request.ts';

const holder = Buffer.alloc(32, 7).toString('base64url');
const salt = Buffer.alloc(16, 9).toString('base64url');
const request = createRequest(await readRecordedHost('bare-metal'), holder, salt);

test('a request is read back from its file and from its groups', () => {
  fc.assert(
    fc.property(anyRequest, (any) => {
      expect(parseRequest(writeRequestFile(any))).toEqual({ ok: true, value: any });
      expect(parseRequest(writeRequestGroups(any))).toEqual({ ok: true, value: any });
    }),
  );
});

test('the largest request is a file of at most 1 KB', () => {
  expect(Buffer.byteLength(writeRequestFile(largestRequest))).toBeLessThanOrEqual(1024);
});

test('every single-bit flip and every truncation is refused', () => {
  const bytes = encodeRequest(request);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(decodeRequest(flipped).ok).toBe(false);
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeRequest(bytes.subarray(0, length)).ok).toBe(false);
  }
  expect(decodeRequest(Buffer.concat([bytes, Buffer.alloc(1)])).ok).toBe(false);
});

test('a file says what was found, and no serial number', () => {
  const file = writeRequestFile(request);
  expect(file.split('\n').slice(0, 3)).toEqual([
    'Request for a licence of edge-infer, from a machine of its own.',
    'Found: machine UUID, mainboard serial number, machine serial number, root disk, 2 network cards, machine id, CPU model.',
    'What follows holds salted hashes of these, no serial number.',
  ]);
  expect(file.toLowerCase()).not.toMatch(/74yrjh3|b44506e15a0c|b4:45|8f2b1c0d/);
});

test('what is missing is named', async () => {
  const facts = await readRecordedHost('gpus', { files: { '/etc/machine-id': null } });
  const lines = describeRequest(createRequest(facts, holder, salt)).split('\n');
  expect(lines[1]).toMatch(/CPU model, 2 graphics cards\.$/);
  expect(lines[2]).toBe('Not found: machine id.');
});

test('a file is read out of a mail', () => {
  const mail = `Dear vendor,\r\n\r\n${writeRequestFile(request).replaceAll('\n', '  \r\n')}\r\nRegards\r\n`;
  expect(parseRequest(mail)).toEqual({ ok: true, value: request });
});

test.each<[string, string, RegExp]>([
  ['nothing', '', /expected \d lines, found 0/],
  [
    'prose',
    'Please send me a licence.',
    /^line 1, character 1 of group 5: expected groups of digits and letters/,
  ],
  [
    'a licence',
    '-----BEGIN EDGE-INFER LICENSE-----\nAAAA\n-----END EDGE-INFER LICENSE-----\n',
    /expected a LICENSE REQUEST, found a LICENSE/,
  ],
  ['a file cut short', writeRequestFile(request).slice(0, -60), /expected the END line/],
  [
    'a file that is none',
    'x'.repeat(20_000),
    /expected a request of at most 16384 characters, found 20000/,
  ],
])('%s is refused with a reason', (_, text, reason) => {
  expect(parseRequest(text)).toEqual({ ok: false, error: expect.stringMatching(reason) });
});
