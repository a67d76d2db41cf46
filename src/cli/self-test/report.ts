import { styleText } from 'node:util';
import { count } from '../count.ts';
import { printable } from '../text-table.ts';

/** What `self-test --json` prints. Keys are only ever added. */
export interface SelfTestReport {
  readonly ok: boolean;
  readonly version: string;
  readonly runtimes: { readonly node: string; readonly onnxruntime: string };
  /** The file of the configuration; null where there is none. */
  readonly configFile: string | null;
  /** From the start of the process to ready. */
  readonly readyMs?: number;
  readonly services: readonly ServiceReport[];
  /** What concerns no single service, a sentence each. */
  readonly problems: readonly string[];
}

export interface ServiceReport {
  readonly deployName: string;
  readonly ok: boolean;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly modelSha256?: string;
  readonly variant?: string;
  readonly device?: string;
  readonly deviceReason?: string;
  readonly imaging?: string;
  readonly weights?: string;
  readonly license: LicenseReport;
  /** How the examples were classified: as a caller's, or past the licence, which refuses callers. */
  readonly askedBy: 'http' | 'worker';
  readonly examples: readonly ExampleReport[];
  readonly problems: readonly string[];
}

export interface LicenseReport {
  readonly state: string;
  readonly isServed: boolean;
  readonly detail: string;
  readonly remedy: string;
  readonly daysLeft?: number;
}

/** One image's answer beside the recorded one. */
export interface ExampleReport {
  /** A file of the model's folder. */
  readonly image: string;
  readonly ok: boolean;
  readonly firstClass?: string;
  readonly firstScore?: number;
  /** From the recorded scores, class by class; nothing is recorded of an image made for the test. */
  readonly largestDifference?: number;
  /** From sending the request to having its answer. */
  readonly tookMs: number;
}

export function formatReport(report: SelfTestReport): string {
  const { ok, version, runtimes, readyMs, services, problems } = report;
  const word = colour(ok ? 'green' : 'red', ok ? 'passed' : 'failed');
  const ready = readyMs === undefined ? '' : `, ready in ${(readyMs / 1000).toFixed(2)} s`;
  const lines = [
    ...services.flatMap(formatService),
    ...problems.map((problem) => `${colour('red', 'FAILED')}  ${printable(problem)}`),
    `Self-test ${word}: edge-infer ${version}, Node ${runtimes.node}, onnxruntime ${runtimes.onnxruntime}${ready}.`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function formatService(service: ServiceReport): string[] {
  const { deployName, ok, license, askedBy, examples, problems } = service;
  const word = ok ? colour('green', 'OK    ') : colour('red', 'FAILED');
  const past = askedBy === 'worker' ? '; the model was tested past it' : '';
  return [
    `${word}  ${printable(deployName)}${describeModel(service)}`,
    ...(examples.length === 0 ? [] : [`        ${describeExamples(service)}`]),
    `        licence ${license.state}: ${printable(license.detail)}${past}`,
    ...(license.remedy === '' ? [] : [`        ${license.remedy}`]),
    ...problems.map((problem) => `        ${printable(problem)}`),
  ];
}

function describeModel(service: ServiceReport): string {
  const { model, modelVersion, variant, device, imaging, weights } = service;
  if (model === undefined) {
    return '';
  }
  const means = device === undefined ? '' : ` on ${device}, ${imaging} imaging, weights ${weights}`;
  return `: ${printable(`${model} ${modelVersion}`)} (${variant})${means}`;
}

function describeExamples({ examples, askedBy }: ServiceReport): string {
  const right = examples.filter(({ ok }) => ok);
  const recorded = right.filter(({ largestDifference }) => largestDifference !== undefined);
  const largest = Math.max(...recorded.map(({ largestDifference = 0 }) => largestDifference));
  const slowest = Math.max(...examples.map(({ tookMs }) => tookMs));
  const proof =
    recorded.length === 0
      ? `${count(right.length, 'image')} answered; no golden examples, so the answers are unproven`
      : `${recorded.length} of ${count(examples.length, 'golden example')} right, largest difference ${largest.toPrecision(2)}`;
  return `${proof}, at most ${slowest.toFixed(0)} ms each ${askedBy === 'http' ? 'over HTTP' : 'in a worker'}`;
}

function colour(name: 'green' | 'red', text: string): string {
  return styleText(name, text, { stream: process.stdout });
}
