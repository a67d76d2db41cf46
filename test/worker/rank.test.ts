import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyActivation, createRanker } from '../../src/worker/rank.ts';

function rank(scores: readonly number[], topCount: number) {
  return createRanker(scores.length)(Float32Array.from(scores), topCount);
}

describe('ranking', () => {
  // Few different values among many classes: ties everywhere.
  const tied = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 });
  const any = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 60,
  });
  const topCounts = fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constant(Infinity));

  test('is a stable sort by falling score, cut after the first k', () => {
    fc.assert(
      fc.property(fc.oneof(tied, any), topCounts, (scores, topCount) => {
        const sorted = scores
          .map((score, classIndex) => ({ score, classIndex }))
          .sort((a, b) => b.score - a.score || a.classIndex - b.classIndex)
          .slice(0, topCount);
        expect(rank(scores, topCount)).toEqual({
          ok: true,
          value: {
            classIndexes: sorted.map(({ classIndex }) => classIndex),
            scores: sorted.map(({ score }) => score),
          },
        });
      }),
      { seed: 20240601, numRuns: 3000 },
    );
  });

  test('holds for many classes, and for one ranker used again and again', () => {
    const ranker = createRanker(1000);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1000, maxLength: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        (scores, topCount) => {
          const sorted = scores
            .map((_, index) => index)
            .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
          expect(ranker(Float32Array.from(scores), topCount)).toMatchObject({
            value: { classIndexes: sorted.slice(0, topCount) },
          });
        },
      ),
      { seed: 20240602, numRuns: 200 },
    );
  });

  test('finds a score that is no finite number wherever it stands, in the first k or not', () => {
    fc.assert(
      fc.property(
        any,
        fc.nat(),
        fc.constantFrom(Number.NaN, Infinity, -Infinity),
        topCounts,
        (scores, position, bad, topCount) => {
          const classIndex = position % scores.length;
          expect(rank(scores.with(classIndex, bad), topCount)).toEqual({
            ok: false,
            error: { code: 'INTERNAL', detail: expect.stringContaining(`class ${classIndex})`) },
          });
        },
      ),
      { seed: 20240603, numRuns: 1000 },
    );
  });

  test('takes zero and minus zero for equal', () => {
    expect(rank([-0, 0, -0], 3)).toMatchObject({ value: { classIndexes: [0, 1, 2] } });
  });
});

describe('softmax', () => {
  function softmax(logits: readonly number[]): number[] {
    const values = Float32Array.from(logits);
    applyActivation(values, 'softmax');
    return [...values];
  }

  test('is the definition in double precision, rounded once', () => {
    const logits = fc.array(fc.float({ min: -80, max: 80, noNaN: true }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(logits, (values) => {
        const largest = Math.max(...values);
        const exponentials = values.map((value) => Math.exp(value - largest));
        const sum = exponentials.reduce((a, b) => a + b, 0);
        expect(softmax(values)).toEqual(exponentials.map((each) => Math.fround(each / sum)));
      }),
      { seed: 20240604, numRuns: 1000 },
    );
  });

  test.each([
    ['one class', [-7], [1]],
    ['equal logits', [3, 3, 3, 3], [0.25, 0.25, 0.25, 0.25]],
    ['minus infinity', [-Infinity, 0, 0], [0, 0.5, 0.5]],
    ['the largest floats', [3.4e38, -3.4e38], [1, 0]],
    ['only minus infinities', [-Infinity, -Infinity], [Number.NaN, Number.NaN]],
    ['an infinity', [Infinity, 0], [Number.NaN, Number.NaN]],
    ['not a number', [0, Number.NaN], [Number.NaN, Number.NaN]],
  ])('%s', (_name, logits, expected) => {
    expect(softmax(logits)).toEqual(expected);
  });
});

test('sigmoid saturates without overflow', () => {
  const values = Float32Array.from([-1000, -1, 0, 1, 1000]);
  applyActivation(values, 'sigmoid');
  expect([...values]).toEqual([
    0,
    Math.fround(1 / (1 + Math.E)),
    0.5,
    Math.fround(1 / (1 + 1 / Math.E)),
    1,
  ]);
});

test('activation none leaves the scores alone', () => {
  const values = Float32Array.from([0.25, 0.75]);
  applyActivation(values, 'none');
  expect([...values]).toEqual([0.25, 0.75]);
});
