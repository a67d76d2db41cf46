import type { Command } from 'commander';
import { exitCodes } from '../../core/errors.ts';
import type { ImageService } from '../../inference/service.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { count } from '../count.ts';
import { catchInterrupt, EXIT_INTERRUPTED } from '../interrupt.ts';
import { loadLocalConfig } from '../local-config.ts';
import { useLicense } from '../local-gate.ts';
import { chooseService, loadLocalService } from '../local-service.ts';
import { writeOutput } from '../output.ts';
import { describeFault, type FileResult } from './file-result.ts';
import { type FoundFile, findImageFiles, type SearchCounts } from './image-files.ts';
import { mapInOrder, untilAborted } from './in-order.ts';
import { createProgress } from './progress.ts';
import { readImage } from './read-image.ts';
import { csvLines, jsonLines, type ResultFormat } from './result-lines.ts';
import { createResultTable } from './result-table.ts';

export interface ClassifyOptions {
  readonly service?: string;
  readonly model?: string;
  readonly top: number;
  readonly json?: true;
  readonly csv?: true;
}

/** Classifies the named files and prints a result for each; resolves to the exit code. */
export async function runClassify(
  named: readonly string[],
  options: ClassifyOptions,
  command: Command,
): Promise<number> {
  const { config, log } = loadLocalConfig(command);
  const chosen = chooseService(config, options);
  const logger = await createLogger(log, { stream: 'stderr' });
  const service = await loadLocalService(config, chosen, logger, 'golden');
  // Only now, and once: before, and at a second Ctrl-C, the program simply ends.
  const interrupt = catchInterrupt();
  try {
    const license = await useLicense(config, { model: options.model, service }, logger);
    const exitCode = await classifyFiles(named, service, options, interrupt);
    await license.stop();
    return interrupt.aborted ? EXIT_INTERRUPTED : exitCode;
  } finally {
    await service.close();
  }
}

async function classifyFiles(
  named: readonly string[],
  service: ImageService,
  options: ClassifyOptions,
  signal: AbortSignal,
): Promise<number> {
  const format = chooseFormat(options);
  const counts: SearchCounts = { found: 0, skipped: 0 };
  const progress = createProgress(counts);
  let done = 0;
  let failed = 0;
  let isAnyMissing = false;

  await writeOutput(format.header());
  const files = untilAborted(findImageFiles(named, counts), signal);
  const results = mapInOrder(files, service.status().workers + 1, (file) =>
    classifyFile(service, file, options.top),
  );
  try {
    for await (const { result, isMissing } of results) {
      done++;
      failed += 'error' in result ? 1 : 0;
      isAnyMissing ||= isMissing;
      if (!(await progress.stepAside(() => writeOutput(format.format(result))))) {
        return exitCodes.OK; // whoever reads has had enough
      }
      progress.step();
    }
  } finally {
    progress.stop();
  }
  process.stderr.write(summarize({ done, failed, skipped: counts.skipped }, signal.aborted));
  if (isAnyMissing) {
    return exitCodes.NO_INPUT;
  }
  return failed > 0 ? exitCodes.SOME_FAILED : exitCodes.OK;
}

interface Outcome {
  readonly result: FileResult;
  readonly isMissing: boolean;
}

/** Never rejects: whatever is wrong with a file is its result. */
async function classifyFile(
  service: ImageService,
  { path: file, error, isMissing }: FoundFile,
  topCount: number,
): Promise<Outcome> {
  if (error !== undefined) {
    return { result: { file, error }, isMissing };
  }
  const image = await readImage(file);
  if (!image.ok) {
    return { result: { file, error: image.error }, isMissing };
  }
  const { outcome } = await service.classifyImage(image.value, topCount);
  if (!outcome.ok) {
    return { result: { file, error: describeFault(outcome.error) }, isMissing };
  }
  const { classIndexes, scores } = outcome.value;
  const results = classIndexes.map((index, place) => ({
    name: service.classNames[index] ?? String(index),
    score: scores[place] ?? Number.NaN,
  }));
  return { result: { file, results }, isMissing };
}

function chooseFormat({ json, csv }: ClassifyOptions): ResultFormat {
  if (json) {
    return jsonLines;
  }
  return csv
    ? csvLines
    : createResultTable(process.stdout.isTTY ? process.stdout.columns : undefined);
}

function summarize(
  { done, failed, skipped }: { done: number; failed: number; skipped: number },
  isInterrupted: boolean,
): string {
  const parts = [
    done === 0 ? 'no image files found' : `${count(done - failed, 'file')} classified`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${count(skipped, 'other file')} skipped`] : []),
  ];
  return `${isInterrupted ? 'stopped: ' : ''}${parts.join(', ')}\n`;
}
