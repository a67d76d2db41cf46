import { describe, expect, test } from 'vitest';
import { loadNativeBindings } from '../../src/platform/native-bindings.ts';
import { chooseDecoder, decodeRawBase64 } from '../../src/worker/base64.ts';
import { findImage } from '../../src/worker/image-span.ts';
import { createRequestReader } from '../../src/worker/request-body.ts';
import { createRandom } from '../support/mutate.ts';
import { mutateRequest, writeUnusualBodies, writeUsualBodies } from './mutate-request.ts';
import { readReference } from './reference-request.ts';

const MUTATIONS = 150_000;
const SEED = 20_261_122;

const native = loadNativeBindings();
const decoders = {
  portable: decodeRawBase64,
  ...(native.ok && { native: chooseDecoder(native.value) }),
};

function randomBytes(length: number, random: (below: number) => number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** What a reader answers, in the reference's form, as text that can be compared. */
function describeAnswer(answer: { image: Uint8Array; topNum: number } | { code: string }): string {
  return 'code' in answer
    ? answer.code
    : `${answer.topNum} ${Buffer.from(answer.image).toString('hex')}`;
}

describe.each(Object.entries(decoders))('with the %s decoder', (_name, decodeRaw) => {
  const read = createRequestReader(decodeRaw);
  const answer = (body: Buffer) => {
    const result = read(body);
    return describeAnswer(result.ok ? result.value : result.error);
  };
  const expected = (body: Buffer) => describeAnswer(readReference(body));

  test(`${MUTATIONS} mutated bodies are read as JSON.parse behind a fatal decoder reads them`, () => {
    const random = createRandom(SEED);
    const bodies = [59, 60, 61, 200, 301].flatMap((length) => {
      const base64 = randomBytes(length, random).toString('base64');
      return [writeUsualBodies(base64), writeUnusualBodies(base64)].flatMap(Object.values<Buffer>);
    });
    const differing: string[] = [];
    const outcomes = new Map<string, number>();
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    for (let mutation = 0; mutation < MUTATIONS; mutation++) {
      const body = mutateRequest(bodies[mutation % bodies.length] as Buffer, random);
      const wanted = expected(body);
      if (answer(body) !== wanted) {
        differing.push(body.toString('latin1'));
      }
      count(
        `${findImage(body) ? 'usual' : 'unusual'} ${/^[A-Z][A-Z_0-9]+$/.exec(wanted)?.[0] ?? 'read'}`,
      );
    }
    expect(differing).toEqual([]);
    // Each way through, and each end of it, was gone often.
    const ends = ['read', 'INVALID_JSON', 'INVALID_ARGUMENT', 'INVALID_BASE64'];
    for (const outcome of ends.flatMap((end) => [`usual ${end}`, `unusual ${end}`])) {
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(500);
    }
  });

  test('every byte and every pair with a backslash in the middle of an image is read alike', () => {
    const image = randomBytes(90, createRandom(SEED)).toString('base64');
    for (let byte = 0; byte < 256; byte++) {
      for (const inserted of [[byte], [0x5c, byte], [byte, byte, byte, byte]]) {
        const body = Buffer.concat([
          Buffer.from(`{"image":"${image.slice(0, 60)}`),
          Buffer.from(inserted),
          Buffer.from(`${image.slice(60)}"}`),
        ]);
        expect(answer(body), `bytes ${inserted.join(' ')}`).toBe(expected(body));
      }
    }
  });

  test('every text of up to five pieces is read alike', () => {
    const pieces = ['A', '+', '=', '-', '\\/', '\\n', '\\u0041', ' ', '\n'];
    let texts = [''];
    for (let length = 0; length <= 5; length++) {
      const differing = texts.filter((text) => {
        const body = Buffer.from(`{"image":"${text}"}`);
        return answer(body) !== expected(body);
      });
      expect(differing).toEqual([]);
      texts = texts.flatMap((text) => pieces.map((piece) => text + piece));
    }
  });

  test('what client programs write is decoded without the parser', () => {
    const { 'raw spaces': _unheardOf, ...bodies } = writeUsualBodies('QUJD'.repeat(30));
    for (const body of Object.values(bodies)) {
      const { start, end } = findImage(body) ?? { start: 0, end: 0 };
      expect(decodeRaw(body, start, end, new Uint8Array(100)), body.toString()).toBe(90);
    }
  });

  test('images up to and beyond 4 MiB of base64 are read alike', () => {
    const longest = 'Ab/+'.repeat(1024 * 1024);
    for (const image of [longest, `${longest}AA==`, `${longest} `, `${longest.slice(4)}AA==`]) {
      for (const written of [image, image.replaceAll('/', '\\/')]) {
        const body = Buffer.from(`{"image":"${written}","top_num":5}`);
        expect(answer(body) === expected(body)).toBe(true);
      }
    }
  });

  test('memory is used again, and a shorter image ends where it ends', () => {
    const long = read(Buffer.from(`{"image":"${'QUJD'.repeat(100)}"}`));
    const short = read(Buffer.from('{"image":"REVG"}'));
    expect(short).toEqual({ ok: true, value: { image: Uint8Array.of(68, 69, 70), topNum: 6 } });
    expect(long.ok && short.ok && long.value.image.buffer === short.value.image.buffer).toBe(true);
  });
});

const base64 = 'QUJD'.repeat(30);

test.each(Object.entries(writeUsualBodies(base64)))(
  'the image is found at once: %s',
  (_name, body) => {
    const { start, end } = findImage(body) ?? { start: 1, end: -1 };
    const text: unknown = JSON.parse(body.toString('latin1', start - 1, end + 1));
    expect(text).toBe((JSON.parse(body.toString().trim()) as { image: string }).image);
  },
);

test.each(Object.entries(writeUnusualBodies(base64)))(
  'the image is left to the parser: %s',
  (_name, body) => {
    expect(findImage(body)).toBeUndefined();
  },
);
