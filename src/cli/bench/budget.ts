import type { BudgetVerdict, StepReport } from './report.ts';

export type BudgetState =
  | { readonly done: true; readonly verdict: BudgetVerdict }
  | { readonly done: false; readonly tryCallers: number };

/**
 * Says up to how many callers p99 stays within a budget, or which number to measure next: halfway
 * between the most callers that were within it and the fewest that were not. Where noise makes
 * the two overlap, the fewest that were not counts.
 */
export function searchBudget(
  steps: readonly Pick<StepReport, 'callers' | 'failed' | 'answered' | 'latencyMs'>[],
  p99Ms: number,
): BudgetState {
  const isWithin = (step: (typeof steps)[number]) =>
    step.failed === 0 && step.answered > 0 && step.latencyMs.p99 <= p99Ms;
  const over = steps.filter((step) => !isWithin(step)).map(({ callers }) => callers);
  const fewestOver = Math.min(...over); // Infinity when there are none
  const within = steps.filter(({ callers }) => callers < fewestOver);
  const mostWithin = Math.max(0, ...within.map(({ callers }) => callers));
  if (over.length === 0 || fewestOver - mostWithin <= 1) {
    const verdict = { p99Ms, callers: mostWithin, isAtLeast: over.length === 0 };
    return { done: true, verdict };
  }
  return { done: false, tryCallers: Math.floor((mostWithin + fewestOver) / 2) };
}
