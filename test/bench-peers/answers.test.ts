import { expect, test } from 'vitest';
import { compareAnswers, findFault } from '../../scripts/bench-peers/answers.ts';
import type { Peer } from '../../scripts/bench-peers/peer.ts';
import { triton } from '../../scripts/bench-peers/triton/peer.ts';

const reference = [
  { name: 'cup', score: 0.7 },
  { name: 'mug', score: 0.2 },
];
const peer: Peer = {
  name: 'any',
  title: 'Any',
  language: 'node',
  packages: [],
  configurations: [],
  launch: () => ({ command: ['true'] }),
};
const answer = (results: unknown) => JSON.stringify({ log_id: 1, results });

test('accepts the right answer and one within the tolerance', () => {
  expect(findFault(peer, reference, answer(reference))).toBeUndefined();
  const [cup, mug] = reference;
  expect(findFault(peer, reference, answer([{ ...cup, score: 0.7009 }, mug]))).toBeUndefined();
});

test.each([
  ['another first class', [...reference].reverse()],
  ['a score too far off', [{ name: 'cup', score: 0.7011 }, reference[1]]],
  ['a class that is not among the first', [reference[0], { name: 'pot', score: 0.1 }]],
  ['too few classes', [reference[0]]],
])('finds %s', (_, results) => {
  expect(findFault(peer, reference, answer(results))).toContain('instead of cup 0.7000');
});

test('lets the last class change places with one of nearly the same score', () => {
  const results = [reference[0], { name: 'pot', score: 0.2004 }] as typeof reference;
  expect(compareAnswers(reference, results).largestDifference).toBeCloseTo(0.0004);
});

test('an answer without results is an error', () => {
  const text = '{"error_code":336100,"error_msg":"busy"}';
  expect(() => findFault(peer, reference, text)).toThrow(`an answer without results: ${text}`);
});

test('reads Triton’s own layout', () => {
  const text = JSON.stringify({ model_name: 'm', name: ['cup', 'mug'], score: [0.7, 0.2] });
  expect(findFault(triton, reference, text)).toBeUndefined();
});
