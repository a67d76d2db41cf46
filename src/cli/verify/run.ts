import type { Command } from 'commander';
import { exitCodes, OperatorError } from '../../core/errors.ts';
import { goldenExamples } from '../../inference/golden.ts';
import { createAnswerComparer } from '../../inference/recorded-answer.ts';
import type { ImageService } from '../../inference/service.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { mapInOrder, untilAborted } from '../classify/in-order.ts';
import { createProgress } from '../classify/progress.ts';
import { catchInterrupt, EXIT_INTERRUPTED } from '../interrupt.ts';
import { loadLocalConfig } from '../local-config.ts';
import { chooseService, loadLocalService } from '../local-service.ts';
import { writeOutput } from '../output.ts';
import { compareImage, type ImageOutcome } from './compare-image.ts';
import { findRecorded, runExplain } from './explain/run.ts';
import {
  type RecordedImage,
  type Recording,
  recordingOfGoldenExamples,
  recordingOfReference,
} from './recording.ts';
import { openReference, type Reference } from './reference-file.ts';
import { createJsonReport, createTextReport, type ReportFormat } from './report.ts';
import { addOutcome, createTotals, type Totals } from './totals.ts';

export interface VerifyOptions {
  readonly reference?: string;
  readonly images?: string;
  readonly crops?: string;
  readonly tolerance?: number;
  readonly allowOtherModel?: true;
  readonly explain?: string;
  readonly picture?: string;
  readonly json?: true;
}

/** Compares a model's answers on this host with recorded ones; resolves to the exit code. */
export async function runVerify(
  named: string | undefined,
  options: VerifyOptions,
  command: Command,
): Promise<number> {
  checkOptions(options);
  const { config, log } = loadLocalConfig(command);
  const reference =
    options.reference === undefined ? undefined : await openReference(options.reference);
  const chosen = chooseService(config, { model: named });
  const logger = await createLogger(log, { stream: 'stderr' });
  // Unproven: a model whose golden examples fail is what this command is for.
  const service = await loadLocalService(config, chosen, logger, 'none');
  const interrupt = catchInterrupt();
  try {
    const exitCode = await verify(service, reference, options, interrupt);
    return interrupt.aborted ? EXIT_INTERRUPTED : exitCode;
  } finally {
    await service.close();
  }
}

function checkOptions(options: VerifyOptions): void {
  const ofReference = ['images', 'crops', 'allowOtherModel'] as const;
  const alone = ofReference.find((name) => options[name] !== undefined);
  if (alone !== undefined && options.reference === undefined) {
    const flag = alone === 'allowOtherModel' ? 'allow-other-model' : alone;
    throw new OperatorError('USAGE', `--${flag} concerns a reference; name one with --reference`);
  }
  if (options.picture !== undefined && options.explain === undefined) {
    throw new OperatorError('USAGE', '--picture concerns an image; name one with --explain');
  }
}

async function verify(
  service: ImageService,
  reference: Reference | undefined,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<number> {
  const { model: loaded, variant, session } = service.status();
  if (service.model === undefined || loaded === undefined) {
    throw new Error('a service is ready without a model');
  }
  if (reference !== undefined) {
    checkModel(reference, loaded.sha256, options.allowOtherModel === true);
  }
  const recording =
    reference === undefined
      ? recordingOfGoldenExamples(service.model)
      : await recordingOfReference(reference, options);
  const scoreTolerance = options.tolerance ?? goldenExamples(service.model).scoreTolerance;
  const compare = createAnswerComparer(service.model, scoreTolerance);
  if (options.explain !== undefined) {
    const recorded = await findRecorded(recording, options.explain);
    return runExplain(recorded, service, compare, options);
  }

  const createReport = options.json === true ? createJsonReport : createTextReport;
  const report = createReport({
    model: loaded,
    means: {
      ...(variant && { variant: variant.name }),
      ...(session && { device: session.device, imaging: session.imaging }),
    },
    recording,
    scoreTolerance,
    showsAgreeing: reference === undefined,
  });
  const totals = await compareAll(recording, report, signal, service.status().workers, (image) =>
    compareImage(image, service, compare),
  );
  if (totals.differ > 0) {
    return exitCodes.DIFFERENT;
  }
  return totals.failed > 0 ? exitCodes.SOME_FAILED : exitCodes.OK;
}

/** Compares and prints image by image; memory does not grow with their number. */
async function compareAll(
  recording: Recording,
  report: ReportFormat,
  signal: AbortSignal,
  workers: number,
  compareOne: (image: RecordedImage) => Promise<ImageOutcome>,
): Promise<Totals> {
  const totals = createTotals();
  const progress = createProgress({ found: recording.imageCount, skipped: 0 });
  const outcomes = mapInOrder(untilAborted(recording.images(), signal), workers + 1, compareOne);
  let isRead = await writeOutput(report.header());
  try {
    for await (const outcome of outcomes) {
      addOutcome(totals, outcome);
      const row = report.row(outcome);
      isRead &&= row === '' || (await progress.stepAside(() => writeOutput(row)));
      progress.step();
    }
  } finally {
    progress.stop();
  }
  if (isRead) {
    await writeOutput(report.summary(totals));
  }
  return totals;
}

/** Answers of another graph differ for reasons that have nothing to do with this host. */
function checkModel({ path, header }: Reference, sha256: string, isAllowed: boolean): void {
  const { file, sha256: recorded } = header.model;
  if (recorded === sha256) {
    return;
  }
  const difference = `${path}: made for another model: its ${file} has SHA-256 ${recorded}, the one here ${sha256}`;
  if (!isAllowed) {
    throw new OperatorError(
      'DATA',
      `${difference}; name the right model, or compare all the same with --allow-other-model`,
    );
  }
  process.stderr.write(`edge-infer: ${difference}\n`);
}
