import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchBudget } from '../../../src/cli/bench/budget.ts';

type Step = Parameters<typeof searchBudget>[0][number];

function step(callers: number, p99: number, failed = 0): Step {
  const latencyMs = { mean: p99, p50: p99, p90: p99, p99, max: p99 };
  return { callers, answered: 1000, failed, latencyMs };
}

/** Searches as the command does, on a host whose p99 is `p99Of` the number of callers. */
function search(callers: readonly number[], budgetMs: number, p99Of: (callers: number) => number) {
  const steps = callers.map((count) => step(count, p99Of(count)));
  for (let further = 0; ; further++) {
    const state = searchBudget(steps, budgetMs);
    if (state.done) {
      return { ...state.verdict, further };
    }
    expect(steps.map((each) => each.callers)).not.toContain(state.tryCallers);
    steps.push(step(state.tryCallers, p99Of(state.tryCallers)));
  }
}

describe('the search for the most callers within a budget', () => {
  test('finds the exact number between the steps', () => {
    const found = search([1, 2, 4, 8, 16, 32, 64], 200, (callers) => callers * 16);
    expect(found).toEqual({ p99Ms: 200, callers: 12, isAtLeast: false, further: 3 });
  });

  test('finds the number below the first step, and none at all', () => {
    expect(search([8], 200, (callers) => callers * 60)).toMatchObject({ callers: 3 });
    expect(search([8], 200, () => 201)).toMatchObject({ callers: 0, isAtLeast: false });
  });

  test('says so when the budget was never exceeded', () => {
    const found = search([1, 64], 200, () => 200);
    expect(found).toEqual({ p99Ms: 200, callers: 64, isAtLeast: true, further: 0 });
  });

  test('takes failed requests and the absence of answers for being over', () => {
    expect(searchBudget([step(1, 5), step(2, 5, 1)], 200)).toMatchObject({
      verdict: { callers: 1 },
    });
    const silent = { ...step(2, Number.NaN), answered: 0 };
    expect(searchBudget([step(1, 5), silent], 200)).toMatchObject({ verdict: { callers: 1 } });
  });

  test('is right for any host whose latency rises, in few further steps', () => {
    const callers = fc.uniqueArray(fc.integer({ min: 1, max: 1024 }), { minLength: 1 });
    fc.assert(
      fc.property(callers, fc.integer({ min: 0, max: 1100 }), (list, limit) => {
        const most = Math.max(...list);
        const found = search(list, 1, (count) => (count <= limit ? 1 : 2));
        expect(found.callers).toBe(Math.min(limit, most));
        expect(found.isAtLeast).toBe(limit >= most);
        expect(found.further).toBeLessThanOrEqual(10);
      }),
    );
  });
});
