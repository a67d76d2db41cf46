import { expect, test } from 'vitest';
import { summariseRounds } from '../../scripts/bench-peers/measure.ts';
import { chooseBest } from '../../scripts/bench-peers/trials.ts';

const load = (requestsPerSecond: number, p99Ms: number) => ({
  ...{ callers: 8, requestsPerSecond, p50Ms: 1, p99Ms, cpuMs: 15, callerCpuMs: 0.5 },
});

test('chooses the fastest', () => {
  const slow = { loads: [load(50, 100)] };
  const fast = { loads: [load(100, 900)] };
  expect(chooseBest([slow, fast])).toBe(fast);
});

test('of those about as fast chooses the one with shorter waits under the highest load', () => {
  const fast = { loads: [load(100, 100), load(100, 900)] };
  const even = { loads: [load(96, 200), load(100, 800)] };
  const slow = { loads: [load(90, 100), load(90, 100)] };
  expect(chooseBest([fast, slow, even])).toBe(even);
});

test('chooses nothing of nothing', () => {
  expect(chooseBest([])).toBeUndefined();
});

test('takes the median of the rounds, figure by figure', () => {
  const rounds = [load(10, 300), load(30, 100), load(20, 200)];
  expect(summariseRounds(rounds)).toEqual(load(20, 200));
});
