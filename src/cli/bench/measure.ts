import { setTimeout as sleep } from 'node:timers/promises';
import { searchBudget } from './budget.ts';
import { formatCallers, formatFigure } from './format.ts';
import { startLoad } from './load.ts';
import type { Progress } from './progress.ts';
import type { StepReport } from './report.ts';
import type { BenchServer } from './server-process.ts';
import { measureStep } from './step.ts';

export interface MeasurePlan {
  /** Rising. */
  readonly callers: readonly number[];
  readonly durationMs: number;
  /** Of p99; its end is searched for between the steps. */
  readonly budgetMs: number | undefined;
  readonly requests: readonly Uint8Array[];
  readonly workers: number;
  readonly answerTimeoutMs: number;
}

/** Of the whole server, until the engine has compiled what is hot. */
const WARM_UP_MS = 2_000;
/** Of each step, until the queue has the length that it keeps. */
const STEP_WARM_UP_MS = 500;

/** Measures the planned steps, then those that the search for the budget's end asks for. */
export async function* measureSteps(
  server: BenchServer,
  plan: MeasurePlan,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<StepReport> {
  const { durationMs, budgetMs } = plan;
  const stepMs = Math.min(STEP_WARM_UP_MS, durationMs) + durationMs;
  const steps: StepReport[] = [];

  async function measure(callers: number, followingMs: number): Promise<StepReport> {
    progress.begin(formatCallers(callers), stepMs, followingMs);
    const warmUpMs = stepMs - durationMs;
    const step = await measureStep(server, { ...plan, callers, warmUpMs, signal });
    progress.tell(summarize(step));
    steps.push(step);
    return step;
  }

  const warmUpMs = Math.min(WARM_UP_MS, durationMs);
  progress.begin('warming up', warmUpMs, plan.callers.length * stepMs);
  await warmUp(server, plan, warmUpMs, signal);
  for (const [index, callers] of plan.callers.entries()) {
    yield await measure(callers, (plan.callers.length - 1 - index) * stepMs);
  }
  while (budgetMs !== undefined) {
    const search = searchBudget(steps, budgetMs);
    if (search.done) {
      return;
    }
    yield await measure(search.tryCallers, 0);
  }
}

async function warmUp(
  { port, died }: BenchServer,
  { workers, requests, answerTimeoutMs }: MeasurePlan,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const load = await startLoad({ port, callers: 2 * workers, requests, answerTimeoutMs });
  try {
    await Promise.race([sleep(milliseconds, undefined, { signal }), died]);
  } finally {
    load.stop();
  }
}

function summarize({ callers, requestsPerSecond, latencyMs, failed }: StepReport): string {
  const { p50, p99 } = latencyMs;
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  return `${formatCallers(callers)}: ${formatFigure(requestsPerSecond)} requests/s, p50 ${formatFigure(p50)} ms, p99 ${formatFigure(p99)} ms${failures}`;
}
