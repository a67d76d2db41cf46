import { formatCallers, formatFigure } from './format.ts';
import type { BudgetVerdict, StepReport } from './report.ts';

/** Nearer to the best rate than this counts as having reached it: steps differ by noise. */
const SAME_RATE = 0.95;

/** What an operator should take away, in a sentence or two. */
export function conclude(steps: readonly StepReport[], budget?: BudgetVerdict): string {
  const last = steps.at(-1);
  if (last === undefined) {
    return 'Nothing was measured.';
  }
  const sentences = [
    ...(budget === undefined ? [] : [describeBudget(budget)]),
    describeRate(steps, last),
    ...describeFailures(steps),
  ];
  return sentences.join(' ');
}

function describeBudget({ p99Ms, callers, isAtLeast }: BudgetVerdict): string {
  if (callers === 0) {
    return `Not even one caller has a p99 within ${p99Ms} ms.`;
  }
  const reach = `Up to ${formatCallers(callers)} at once p99 stays within ${p99Ms} ms (measured)`;
  return isAtLeast ? `${reach}, and more were not tried.` : `${reach}.`;
}

function describeRate(steps: readonly StepReport[], last: StepReport): string {
  const best = steps.reduce((a, b) => (b.requestsPerSecond > a.requestsPerSecond ? b : a));
  const enough =
    steps.find((step) => step.requestsPerSecond >= SAME_RATE * best.requestsPerSecond) ?? best;
  const rate = `${formatFigure(best.requestsPerSecond)} requests/s`;
  const reach = `with ${formatCallers(enough.callers)} (p99 ${formatP99(enough)})`;
  if (enough.callers < last.callers) {
    return `${rate} is this host's limit, reached ${reach}; more only wait longer (p99 ${formatP99(last)} with ${last.callers}).`;
  }
  const more = last.failed > 0 ? '' : '; more callers may get more';
  return `The most were ${rate}, ${reach}${more}.`;
}

function formatP99({ latencyMs }: StepReport): string {
  return `${formatFigure(latencyMs.p99)} ms`;
}

function describeFailures(steps: readonly StepReport[]): string[] {
  const first = steps.find(({ failed }) => failed > 0);
  if (first === undefined) {
    return [];
  }
  const { callers, failed, answered } = first;
  return [
    `With ${formatCallers(callers)} ${failed} of ${failed + answered} requests failed: they are counted in no other figure.`,
  ];
}
