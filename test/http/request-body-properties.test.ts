import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64, decodeRawBase64, MAX_IMAGE_BYTES } from '../../src/worker/base64.ts';
import { createRequestReader } from '../../src/worker/request-body.ts';

const bounded = { seed: 20_260_101, numRuns: 2_000 };

const readRequest = createRequestReader(decodeRawBase64);
const target = new Uint8Array(MAX_IMAGE_BYTES);

const contractCodes = new Set([
  'INVALID_ARGUMENT',
  'INVALID_JSON',
  'INVALID_BASE64',
  'SIZE_OUT_OF_RANGE',
  'IMAGE_MISSING',
]);

function expectContractAnswer(body: Uint8Array): void {
  const parsed = readRequest(Buffer.from(body));
  if (parsed.ok) {
    expect(parsed.value.topNum).toBeGreaterThanOrEqual(1);
  } else {
    expect(contractCodes).toContain(parsed.error.code);
    expect(parsed.error.detail.length).toBeLessThan(250);
  }
}

const whiteSpace = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

describe('a body never throws and meets a code of the contract', () => {
  test('whatever its bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), expectContractAnswer), bounded);
  });

  test('whatever its JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => expectContractAnswer(Buffer.from(text))),
      bounded,
    );
  });

  test('whatever its fields hold', () => {
    const field = fc.oneof(fc.jsonValue(), fc.base64String(), fc.integer().map(String));
    const fields = fc.record({ image: field, top_num: field }, { requiredKeys: [] });
    fc.assert(
      fc.property(fields, (value) => expectContractAnswer(Buffer.from(JSON.stringify(value)))),
      bounded,
    );
  });

  test('wherever a good one was damaged', () => {
    const good = Buffer.from(`{"image":"${'QUJD'.repeat(10)}","top_num":5}`);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
        const damaged = Buffer.from(isCut ? good.subarray(0, at) : good);
        damaged[at] = byte;
        expectContractAnswer(damaged);
      }),
      bounded,
    );
  });
});

describe('base64', () => {
  const file = fc.uint8Array({ minLength: 1, maxLength: 100 });

  test('gives every byte back, with white space anywhere', () => {
    const spaces = fc.array(fc.tuple(fc.nat(200), whiteSpace), { maxLength: 5 });
    fc.assert(
      fc.property(file, spaces, (bytes, insertions) => {
        let text = Buffer.from(bytes).toString('base64');
        for (const [at, space] of insertions) {
          text = `${text.slice(0, at)}${space}${text.slice(at)}`;
        }
        expect(decodeBase64(text, target)).toEqual({ ok: true, value: bytes });
      }),
      bounded,
    );
  });

  test('is accepted exactly when it is quartets of the alphabet, padded at the end only', () => {
    const quartets = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
    const anything = fc.string({
      unit: fc.constantFrom(...'ABab09+/==-_ \n\f\u00a0\0é'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(anything, (text) => {
        const isBase64 = quartets.test(text.replace(/[ \t\r\n]/g, ''));
        expect(decodeBase64(text, target).ok).toBe(isBase64);
      }),
      { ...bounded, numRuns: 10_000 },
    );
  });
});
