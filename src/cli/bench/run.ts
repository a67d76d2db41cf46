import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { findModelFolder } from '../../catalog/model-package.ts';
import { exitCodes } from '../../core/errors.ts';
import { catchInterrupt, EXIT_INTERRUPTED } from '../interrupt.ts';
import { loadLocalConfig } from '../local-config.ts';
import { chooseService } from '../local-service.ts';
import { writeOutput } from '../output.ts';
import { searchBudget } from './budget.ts';
import { drawChart } from './chart.ts';
import { checkChartFile, writeChartFile } from './chart-file.ts';
import { drawChartPage } from './chart-page.ts';
import { conclude } from './conclusion.ts';
import { askServiceFacts, describeHost } from './facts.ts';
import { chooseImageFiles, type LoadImages, listGoldenImages, tryImages } from './images.ts';
import { measureSteps } from './measure.ts';
import { checkOpenFiles } from './open-files.ts';
import { createProgress } from './progress.ts';
import type { BenchReport, LoadFacts, ServiceFacts, StepReport } from './report.ts';
import { formatReport } from './report-text.ts';
import { startBenchServer } from './server-process.ts';

export interface BenchOptions {
  readonly service?: string;
  readonly model?: string;
  /** A folder or a file; the model's golden examples when absent. */
  readonly images?: string;
  /** Rising. */
  readonly callers: readonly number[];
  /** In ms, as is the budget. */
  readonly duration: number;
  /** Of p99. */
  readonly budget?: number;
  readonly json?: true;
  readonly chart?: string;
}

/** Beyond the service's own deadline, by which it answers in any case. */
const ANSWER_GRACE_MS = 10_000;
/** How long the end of a process that has closed its connections may take to be known. */
const DEATH_MS = 500;
/** Of what is no terminal. */
const DEFAULT_COLUMNS = 100;

/** Measures a service on this host and prints the report; resolves to the exit code. */
export async function runBench(options: BenchOptions, command: Command): Promise<number> {
  const { config } = loadLocalConfig(command);
  const service = chooseService(config, options);
  // Whatever can be known to fail is told now, not in a minute.
  await checkOpenFiles(Math.max(...options.callers));
  const ownFiles = options.images === undefined ? [] : await chooseImageFiles(options.images);
  if (options.chart !== undefined) {
    await checkChartFile(options.chart);
  }

  const date = new Date().toISOString();
  const progress = createProgress();
  progress.say(`loading ${service.model} ...`);
  await using server = await startBenchServer(config, service);
  const facts = await askServiceFacts(server.adminUrl);
  const files = options.images
    ? ownFiles
    : await listGoldenImages(findModelFolder(config.modelsDir, service.model), facts.variant);
  const signal = catchInterrupt();
  const answerTimeoutMs = service.deadlineMs + ANSWER_GRACE_MS;
  const steps: StepReport[] = [];
  let images: LoadImages = { requests: [], refused: [] };
  let failure: unknown;
  try {
    images = await tryImages(
      files,
      { deployName: service.deployName, port: server.port, answerTimeoutMs },
      signal,
    );
    const plan = {
      ...options,
      ...{ durationMs: options.duration, budgetMs: options.budget },
      ...{ requests: images.requests, workers: facts.workers, answerTimeoutMs },
    };
    for await (const step of measureSteps(server, plan, progress, signal)) {
      steps.push(step);
    }
  } catch (error) {
    // Told below, after what was measured until then. Those who talk to a server that dies notice
    // before its end is known, which is what should be told.
    failure = signal.aborted
      ? error
      : await Promise.race([server.died.catch((death: unknown) => death), sleep(DEATH_MS, error)]);
  }
  progress.stop();

  const isComplete = failure === undefined;
  if (steps.length > 0) {
    const load = describeLoad(images, options.duration);
    const report = compileReport({ date, isComplete, service: facts, load, steps }, options.budget);
    await writeOutput(
      options.json
        ? `${JSON.stringify(report)}\n`
        : formatReport(report, process.stdout.columns ?? DEFAULT_COLUMNS),
    );
    if (options.chart !== undefined) {
      const draw = options.chart.toLowerCase().endsWith('.svg') ? drawChart : drawChartPage;
      await writeChartFile(options.chart, draw(report));
    }
  }
  if (signal.aborted) {
    return EXIT_INTERRUPTED;
  }
  if (!isComplete) {
    throw failure;
  }
  return images.refused.length === 0 ? exitCodes.OK : exitCodes.SOME_FAILED;
}

function describeLoad({ requests, refused }: LoadImages, durationMs: number): LoadFacts {
  const sizes = requests.map(({ length }) => length);
  return {
    images: requests.length,
    smallestRequestBytes: Math.min(...sizes),
    largestRequestBytes: Math.max(...sizes),
    refusedImages: refused,
    durationS: durationMs / 1000,
  };
}

interface Measured {
  readonly date: string;
  readonly isComplete: boolean;
  readonly service: ServiceFacts;
  readonly load: LoadFacts;
  readonly steps: readonly StepReport[];
}

function compileReport(measured: Measured, budgetMs: number | undefined): BenchReport {
  const { date, isComplete, service, load } = measured;
  const steps = measured.steps.toSorted((a, b) => a.callers - b.callers);
  const search = budgetMs === undefined ? undefined : searchBudget(steps, budgetMs);
  const budget = search?.done ? search.verdict : undefined;
  return {
    ...{ date, isComplete, host: describeHost(), service, load, steps },
    ...(budget === undefined ? {} : { budget }),
    conclusion: conclude(steps, budget),
  };
}
