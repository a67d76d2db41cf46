import { describe, expect, test } from 'vitest';
import { testBuildFile } from '../../scripts/license-vectors/test-keys.ts';
import { makeVectors } from '../../scripts/license-vectors/vectors.ts';
import { createLicenseBuild } from '../../src/licensing/build-keys.ts';
import { verifyLicense } from '../../src/licensing/verify-license.ts';

const build = createLicenseBuild(testBuildFile);
const vectors = new Map(makeVectors().map(({ name, file }) => [name, file]));

function stateOf(file: Uint8Array): string {
  const result = verifyLicense(file, build);
  return result.ok ? 'ACCEPTED' : result.error.state;
}

const ENVELOPE = /^\{"v":1,"kid":"([\w-]{1,64})","payload":"([\w-]*)","sig":"([\w-]{86})"\}$/;
// The last character of 64 bytes holds two bits, of 3n + 1 bytes two and of 3n + 2 bytes four.
const LAST_OF_TWO_BITS = /[AQgw]$/;
const LAST_OF_FOUR_BITS = /[AEIMQUYcgkosw048]$/;

function isCanonical(text: string): boolean {
  const rest = text.length % 4;
  return (
    rest === 0 ||
    (rest === 2 && LAST_OF_TWO_BITS.test(text)) ||
    (rest === 3 && LAST_OF_FOUR_BITS.test(text))
  );
}

/** What a changed file must be, told from its text alone and not by the code that is tested. */
function expectedState(changed: Buffer, original: Buffer): string {
  const lines = (file: Buffer) => file.toString('latin1').split('\n');
  const [before, after] = [lines(original), lines(changed)];
  const inner = after.slice(1, -2).map((line) => line.replace(/\r$/, ''));
  const hasSameFrame =
    after.length === before.length &&
    [0, -1, -2].every((index) => after.at(index) === before.at(index)) &&
    after.every((line, index) => line.length === before[index]?.length) &&
    after.every((line) => line.endsWith('\r') === before[0]?.endsWith('\r') || line === '') &&
    inner.every((line) => /^[\w-]+$/.test(line));
  if (!hasSameFrame || !isCanonical(inner.join(''))) {
    return 'MALFORMED';
  }
  const text = Buffer.from(inner.join(''), 'base64url').toString('latin1');
  const [, kid = '', payload = '', sig = ''] = ENVELOPE.exec(text) ?? [];
  if (kid === '' || !isCanonical(payload) || !isCanonical(sig)) {
    return 'MALFORMED';
  }
  return testBuildFile.keys.some((key) => key.kid === kid) ? 'BAD_SIGNATURE' : 'UNKNOWN_KEY';
}

describe.each(['trial-cpu', 'permanent-gpu-crlf'])('of %s', (name) => {
  const file = vectors.get(name) ?? Buffer.alloc(0);

  test('every single-bit flip is refused, each in the state of what it hit', () => {
    const found = new Map<string, number>();
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = Buffer.from(file);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const state = stateOf(changed);
      if (state !== expectedState(changed, file)) {
        expect.fail(`bit ${bit}: ${state}, expected ${expectedState(changed, file)}`);
      }
      found.set(state, (found.get(state) ?? 0) + 1);
    }
    expect([...found.keys()].toSorted()).toEqual(['BAD_SIGNATURE', 'MALFORMED', 'UNKNOWN_KEY']);
    expect(found.values().reduce((sum, count) => sum + count, 0)).toBe(file.length * 8);
  });

  test('every truncation is refused as malformed, from either end', () => {
    expect(stateOf(file)).toBe('ACCEPTED');
    for (let length = 0; length < file.length; length++) {
      expect([
        stateOf(file.subarray(0, length)),
        stateOf(file.subarray(file.length - length)),
      ]).toEqual(['MALFORMED', 'MALFORMED']);
    }
  });

  test('every byte taken out or put in is refused', () => {
    for (let at = 0; at <= file.length; at++) {
      const [start, end] = [file.subarray(0, at), file.subarray(at)];
      for (const changed of [
        ...(at < file.length ? [Buffer.concat([start, end.subarray(1)])] : []),
        ...[' ', '\n', '\r', '=', '\0', 'A'].map((text) =>
          Buffer.concat([start, Buffer.from(text), end]),
        ),
      ]) {
        if (stateOf(changed) !== 'MALFORMED') {
          expect.fail(`at ${at}: ${stateOf(changed)}`);
        }
      }
    }
  });
});

test('line ends are converted as a whole or not at all', () => {
  const lines = vectors.get('permanent-gpu')?.toString().split('\n').slice(0, -1) ?? [];
  const join = (isCrlf: (index: number) => boolean) =>
    Buffer.from(lines.map((line, index) => `${line}${isCrlf(index) ? '\r\n' : '\n'}`).join(''));
  expect(stateOf(join(() => true))).toBe('ACCEPTED');
  expect(stateOf(join(() => false))).toBe('ACCEPTED');
  for (const [index] of lines.entries()) {
    expect(stateOf(join((other) => other === index))).toBe('MALFORMED');
    expect(stateOf(join((other) => other !== index))).toBe('MALFORMED');
  }
});
