import { describe, expect, test } from 'vitest';
import { createAnswerComparer, type RecordedAnswer } from '../../src/inference/recorded-answer.ts';

const labels = new Map([
  ['en', ['ant', 'crane', 'bee', 'crane']],
  ['de', ['Ameise', 'Kranich', 'Biene', 'Kran']],
]);
const compare = createAnswerComparer({ labels }, 0.01);

/** Compares with an answer of these scores, in class order. */
function compareScores(recorded: RecordedAnswer, ...scores: number[]) {
  const scoreOf = (index: number) => scores[index] ?? Number.NaN;
  const classIndexes = scores.map((_, index) => index).sort((a, b) => scoreOf(b) - scoreOf(a));
  const ranking = { classIndexes, scores: classIndexes.map(scoreOf) };
  return compare(recorded, { ranking, cropSha256: 'aa' });
}

describe('an answer agrees', () => {
  test('when the first class is the same and every score is near enough', () => {
    const top = [
      { name: 'ant', score: 0.7 },
      { name: 'bee', score: 0.3 },
    ];
    expect(compareScores({ top, cropSha256: 'aa' }, 0.705, 0, 0.295, 0)).toMatchObject({
      agrees: true,
      isCropEqual: true,
      isSameClass: true,
      largestDifference: expect.closeTo(0.005),
    });
  });

  test('when classes of nearly equal scores change places below the first', () => {
    const top = [
      { name: 'ant', score: 0.6 },
      { name: 'bee', score: 0.201 },
      { name: 'crane', index: 1, score: 0.199 },
    ];
    expect(compareScores({ top }, 0.6, 0.201, 0.199, 0)).toMatchObject({ agrees: true });
  });

  test('in any language of the labels', () => {
    const top = [{ name: 'Kran', score: 0.9 }];
    expect(compareScores({ top }, 0, 0.1, 0, 0.9)).toMatchObject({ agrees: true });
  });

  test('with the class of a name that comes twice, the index where one is recorded', () => {
    const answer = (index?: number): RecordedAnswer => ({
      top: [{ name: 'crane', score: 0.9, ...(index !== undefined && { index }) }],
    });
    expect(compareScores(answer(), 0, 0.1, 0, 0.9)).toMatchObject({ agrees: true });
    expect(compareScores(answer(3), 0, 0.1, 0, 0.9)).toMatchObject({ agrees: true });
    expect(compareScores(answer(1), 0, 0.1, 0, 0.9)).toMatchObject({
      agrees: false,
      isSameClass: false,
      recordedFirst: { recorded: 0.9, here: 0.1 },
    });
  });
});

describe('an answer differs', () => {
  test('when the crop is another, whatever the scores', () => {
    const top = [{ name: 'ant', score: 1 }];
    const comparison = compareScores({ top, cropSha256: 'bb' }, 1, 0, 0, 0);
    expect(comparison).toMatchObject({ agrees: false, isCropEqual: false, isSameClass: true });
    expect(comparison.cropSha256).toEqual({ recorded: 'bb', here: 'aa' });
  });

  test('when the first class is another, both of whose scores are told', () => {
    const top = [
      { name: 'ant', score: 0.505 },
      { name: 'bee', score: 0.495 },
    ];
    expect(compareScores({ top }, 0.497, 0, 0.503, 0)).toMatchObject({
      agrees: false,
      isSameClass: false,
      isWithinTolerance: true,
      recordedFirst: { name: 'ant', recorded: 0.505, here: 0.497 },
      hereFirst: { name: 'bee', recorded: 0.495, here: 0.503 },
    });
  });

  test('when a score is too far off, of which the farthest is told', () => {
    const top = [
      { name: 'ant', score: 0.8 },
      { name: 'bee', score: 0.1 },
    ];
    expect(compareScores({ top }, 0.78, 0.07, 0.15, 0)).toMatchObject({
      agrees: false,
      isSameClass: true,
      isWithinTolerance: false,
      largest: { name: 'bee', recorded: 0.1, here: 0.15 },
      largestDifference: expect.closeTo(0.05),
    });
  });

  test('when a recorded class is unknown here', () => {
    const top = [
      { name: 'ant', score: 0.9 },
      { name: 'wasp', score: 0.1 },
    ];
    expect(compareScores({ top }, 0.9, 0, 0.1, 0)).toMatchObject({
      agrees: false,
      largest: { name: 'wasp', here: undefined },
      largestDifference: Number.NaN,
    });
  });

  test('from a class that was not recorded at all', () => {
    const top = [{ name: 'ant', score: 0.5 }];
    expect(compareScores({ top }, 0.2, 0, 0.8, 0).hereFirst).toEqual({
      name: 'bee',
      recorded: undefined,
      here: 0.8,
    });
  });
});
