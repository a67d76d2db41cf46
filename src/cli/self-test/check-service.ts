import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '../../catalog/model-package.ts';
import { wireErrors } from '../../core/errors.ts';
import { encodePng } from '../../imaging/encode-png.ts';
import { nameWeights } from '../../inference/describe-workers.ts';
import {
  createAnswerComparer,
  describeDifference,
  type RecordedAnswer,
} from '../../inference/recorded-answer.ts';
import type { ImageService } from '../../inference/service.ts';
import {
  isServed,
  type LicenseDecision,
  leftDays,
  refuse as refusalOf,
} from '../../licensing/verdict.ts';
import { type Ask, askByHttp, askWorker } from './ask.ts';
import type { ExampleReport, LicenseReport, ServiceReport } from './report.ts';

export interface CheckOptions {
  readonly port: number;
  readonly timeoutMs: number;
}

interface Example {
  readonly image: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Undefined of an image made for the test. */
  readonly recorded?: RecordedAnswer;
}

/** Asks one loaded service about its model's golden examples and compares the answers. */
export async function checkService(
  service: ImageService,
  license: LicenseDecision | undefined,
  { port, timeoutMs }: CheckOptions,
): Promise<ServiceReport> {
  const status = service.status();
  const overHttp = askByHttp(port, service, timeoutMs);
  const isRefused = license === undefined || !isServed(license);
  const report = {
    deployName: service.deployName,
    ...describeLoaded(service),
    license: describeLicense(license),
    askedBy: isRefused ? 'worker' : 'http',
  } as const;
  const { model } = service;
  if (status.state !== 'ready' || model === undefined) {
    return { ...report, ok: false, examples: [], problems: status.problems };
  }
  const examples = await readExamples(model);
  const refusal = isRefused ? await findMissingRefusal(overHttp, examples, license) : [];
  const ask = isRefused ? askWorker(service) : askForAnySize(overHttp, service);
  const checked = await checkExamples(examples, ask, model);
  const problems = [...refusal, ...checked.flatMap(({ problem }) => problem ?? [])];
  return {
    ...report,
    ok: problems.length === 0,
    examples: checked.map(({ problem: _, ...example }) => example),
    problems,
  };
}

function describeLoaded(service: ImageService) {
  const { model, variant, session } = service.status();
  return {
    ...(model && { model: model.name, modelVersion: model.version, modelSha256: model.sha256 }),
    ...(variant && { variant: variant.name }),
    ...(session && {
      device: session.device,
      deviceReason: session.deviceReason,
      imaging: session.imaging,
      weights: nameWeights(session.isPrepared),
    }),
  };
}

function describeLicense(license: LicenseDecision | undefined): LicenseReport {
  if (license === undefined) {
    const detail = 'the licence of this host could not be checked';
    return { state: 'CHECKING', isServed: false, detail, remedy: '' };
  }
  const { state, detail, remedy } = license;
  const daysLeft = leftDays(license);
  return {
    state,
    isServed: isServed(license),
    detail,
    remedy,
    ...(daysLeft === undefined ? {} : { daysLeft }),
  };
}

async function readExamples({ folder, manifest }: ModelPackage): Promise<Example[]> {
  const golden = manifest.golden.examples.map(async ({ image, top }) => {
    const bytes = new Uint8Array(await readFile(join(folder, image)));
    // The crop is not on the wire; loading has compared it.
    return { image, bytes, recorded: { top } };
  });
  const examples = await Promise.all(golden);
  return examples.length > 0 ? examples : [await makeExample()];
}

/** A grey square for models without examples: that they answer at all can be tested. */
async function makeExample(): Promise<Example> {
  const side = 64;
  const data = new Uint8Array(side * side * 3).fill(128);
  const bytes = await encodePng({ data, width: side, height: side, channels: 3 });
  return { image: 'a grey square', bytes: new Uint8Array(bytes) };
}

/** Where the licence refuses a service, its callers must hear just that. */
async function findMissingRefusal(
  overHttp: Ask,
  [example]: readonly Example[],
  license: LicenseDecision | undefined,
): Promise<string[]> {
  const expected = license && refusalOf(license);
  const code = wireErrors[expected?.code ?? 'UNAVAILABLE'].wireCode;
  const answer = await overHttp(example?.bytes ?? new Uint8Array());
  if (!answer.ok && answer.error.code === code) {
    return [];
  }
  const found = answer.ok ? 'classes' : `${answer.error.code} (${answer.error.detail})`;
  return [`expected callers to be answered ${code} for the licence, found ${found}`];
}

/** An example may be larger than what callers may send; a worker takes it all the same. */
function askForAnySize(overHttp: Ask, service: ImageService): Ask {
  return async (image) => {
    const answer = await overHttp(image);
    const isTooLarge = !answer.ok && answer.error.code === wireErrors.SIZE_OUT_OF_RANGE.wireCode;
    return isTooLarge ? askWorker(service)(image) : answer;
  };
}

async function checkExamples(examples: readonly Example[], ask: Ask, model: ModelPackage) {
  const { scoreTolerance } = model.manifest.golden;
  const compare = createAnswerComparer(model, scoreTolerance);
  const [names = []] = model.labels.values();
  const checked: (ExampleReport & { readonly problem?: string })[] = [];
  for (const { image, bytes, recorded } of examples) {
    const sentMs = performance.now();
    const answer = await ask(bytes);
    const tookMs = Math.round((performance.now() - sentMs) * 10) / 10;
    if (!answer.ok) {
      const problem = `${image}: expected an answer, found ${answer.error.detail}`;
      checked.push({ image, ok: false, tookMs, problem });
      continue;
    }
    const { classIndexes, scores } = answer.value;
    const comparison =
      recorded && compare(recorded, { ranking: answer.value, cropSha256: undefined });
    const difference = comparison && describeDifference(comparison, scoreTolerance);
    checked.push({
      image,
      ok: difference === undefined,
      firstClass: names[classIndexes[0] ?? -1] ?? '',
      firstScore: scores[0] ?? Number.NaN,
      ...(comparison && { largestDifference: comparison.largestDifference }),
      tookMs,
      ...(difference === undefined ? {} : { problem: `golden example ${image}: ${difference}` }),
    });
  }
  return checked;
}
