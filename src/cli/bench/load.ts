import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../core/errors.ts';
import { type Caller, type Outcome, openCaller } from './caller.ts';
import type { Latencies } from './report.ts';

export interface LoadOptions {
  readonly port: number;
  readonly callers: number;
  /** Whole requests, sent in turn. */
  readonly requests: readonly Uint8Array[];
  readonly answerTimeoutMs: number;
}

/** Callers at work: closed loop, that is each sends its next request when its answer has come. */
export interface Load {
  /** How many requests came to an end, well or not, since the load began. */
  readonly endedRequests: number;
  /** Counts what ends from now on. */
  startCounting(): void;
  stopCounting(): LoadCounts;
  /** Hangs up, whatever is still under way. */
  stop(): void;
}

interface LoadCounts {
  readonly seconds: number;
  readonly answered: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly latencyMs: Latencies;
}

/** A refused caller waits so long before its next try; without it, it would only burn CPU time. */
const PAUSE_AFTER_FAILURE_MS = 100;
const US_PER_MS = 1000;
/** Of the histogram of latencies: 0.1 % steps up to ten minutes, in µs. */
const HISTOGRAM = { lowest: 1, highest: 600_000 * US_PER_MS, figures: 3 };

/** Opens a connection for each caller and sets them to work. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const callers = await openCallers(options);
  const { requests } = options;
  const latenciesUs = createHistogram(HISTOGRAM);
  let failures: Record<string, number> = {};
  let next = 0;
  let endedRequests = 0;
  let countingSinceMs: number | undefined;
  let isStopped = false;

  function count(outcome: Outcome, milliseconds: number): void {
    if (outcome.ok) {
      latenciesUs.record(Math.max(1, Math.round(milliseconds * US_PER_MS)));
    } else {
      failures[outcome.reason] = (failures[outcome.reason] ?? 0) + 1;
    }
  }

  async function keepCalling(caller: Caller): Promise<void> {
    while (!isStopped) {
      const request = requests[next++ % requests.length] as Uint8Array;
      const sentMs = performance.now();
      const outcome = await caller.call(request);
      endedRequests++;
      if (countingSinceMs !== undefined) {
        count(outcome, performance.now() - sentMs);
      }
      if (!outcome.ok && !isStopped) {
        await sleep(PAUSE_AFTER_FAILURE_MS);
      }
    }
  }

  for (const caller of callers) {
    void keepCalling(caller); // never rejects
  }
  return {
    get endedRequests() {
      return endedRequests;
    },
    startCounting() {
      latenciesUs.reset();
      failures = {};
      countingSinceMs = performance.now();
    },
    stopCounting() {
      const seconds = (performance.now() - (countingSinceMs ?? Number.NaN)) / 1000;
      countingSinceMs = undefined;
      const { count: answered } = latenciesUs;
      const failed = Object.values(failures).reduce((sum, each) => sum + each, 0);
      return { seconds, answered, failed, failures, latencyMs: readLatencies(latenciesUs) };
    },
    stop() {
      isStopped = true;
      for (const caller of callers) {
        caller.close();
      }
    },
  };
}

async function openCallers({ port, callers, answerTimeoutMs }: LoadOptions): Promise<Caller[]> {
  const opened: Caller[] = [];
  try {
    while (opened.length < callers) {
      opened.push(await openCaller(port, answerTimeoutMs));
    }
  } catch (error) {
    for (const caller of opened) {
      caller.close();
    }
    const reason = (error as Error).message;
    throw new OperatorError('OS', `caller ${opened.length + 1} cannot connect: ${reason}`, {
      cause: error,
    });
  }
  return opened;
}

function readLatencies(latenciesUs: ReturnType<typeof createHistogram>): Latencies {
  const percentileMs = (percentile: number) =>
    latenciesUs.count === 0 ? Number.NaN : latenciesUs.percentile(percentile) / US_PER_MS;
  return {
    mean: latenciesUs.mean / US_PER_MS, // NaN when empty
    p50: percentileMs(50),
    p90: percentileMs(90),
    p99: percentileMs(99),
    max: percentileMs(100),
  };
}
