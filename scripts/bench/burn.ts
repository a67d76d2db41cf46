import { setTimeout as sleep } from 'node:timers/promises';

const PERIOD_MS = 10;

/**
 * Keeps this thread busy for a share of the time, from 0 to 1, while `work` runs: what is measured
 * beside it meets the same competition as what was measured beside a load generator.
 */
export async function burnWhile<T>(share: number, work: Promise<T>): Promise<T> {
  let isDone = false;
  const finished = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const until = performance.now() + PERIOD_MS * share;
    while (performance.now() < until);
    await sleep(PERIOD_MS * (1 - share));
  }
  return finished;
}
