import { styleText } from 'node:util';
import { wireErrors } from '../../core/errors.ts';
import { count } from '../count.ts';
import { formatTable, printable } from '../text-table.ts';
import { formatCallers, formatFigure } from './format.ts';
import type { BenchReport, HostFacts, StepReport } from './report.ts';
import { formatStageBars } from './stage-bars.ts';

/** Other programs' share of the host from which on the figures are no longer the server's own. */
const BUSY_SHARE = 0.1;
/** Below so many answers p99 is hardly more than the slowest of them. */
const LEAST_ANSWERS = 100;

/** Everything for people; `columns` is the width of the terminal. */
export function formatReport(report: BenchReport, columns: number): string {
  const { steps, conclusion } = report;
  const paragraphs = [
    describeSetup(report),
    ...(steps.length === 0
      ? []
      : [
          formatSteps(steps),
          `Where the time of a request goes, on average:\n${formatStageBars(steps, columns)}`,
        ]),
    ...listRemarks(report).map((remark) => `${remark}\n`),
    `${styleText('bold', conclusion, { stream: process.stdout })}\n`,
  ];
  return paragraphs.join('\n');
}

/** What was measured on what, a line each. */
export function describeSetup({ host, service, load, date }: BenchReport): string {
  const { variant, imaging } = service;
  const threads = service.threads === 1 ? '' : ` of ${service.threads} threads`;
  const bodies =
    load.images === 1
      ? `1 image, a request of ${formatKib(load.largestRequestBytes)}`
      : `${load.images} images, requests of ${formatKib(load.smallestRequestBytes)} to ${formatKib(load.largestRequestBytes)}`;
  return [
    `${printable(service.model)} ${printable(service.modelVersion)} (${variant}) on ${service.device}, ${count(service.workers, 'worker')}${threads}, imaging ${imaging}`,
    describeMachine(host),
    `edge-infer ${host.edgeInfer}, Node ${host.node}, onnxruntime ${host.onnxruntime}, ${host.system}, ${date}`,
    `${bodies}, ${formatFigure(load.durationS)} s a step\n`,
  ].join('\n');
}

/** What the figures depend on most, in a few words. */
export function describeMachine(host: HostFacts): string {
  const { cpu, processors, usableProcessors, memoryMib } = host;
  const usable = usableProcessors === processors ? '' : `${usableProcessors} usable of `;
  return `${cpu}, ${usable}${processors} processors, ${formatMib(memoryMib)} of memory`;
}

function formatSteps(steps: readonly StepReport[]): string {
  const titles = [
    ...['CALLERS', 'REQUESTS/S', 'P50 MS', 'P90 MS', 'P99 MS'],
    ...['CPU MS', 'MEMORY MIB', 'FAILED'],
  ];
  const rows = steps.map((step) => [
    String(step.callers),
    formatFigure(step.requestsPerSecond),
    formatFigure(step.latencyMs.p50),
    formatFigure(step.latencyMs.p90),
    formatFigure(step.latencyMs.p99),
    formatFigure(step.cpuMsPerRequest),
    formatFigure(step.memoryMib.resident),
    step.failed === 0
      ? '0'
      : styleText('red', `${step.failed} of ${step.failed + step.answered}`, {
          stream: process.stdout,
        }),
  ]);
  return formatTable([titles, ...rows], {
    widths: titles.map(() => null),
    aligns: titles.map(() => 'right'),
  });
}

/** What must be known to read the figures rightly, a paragraph each. */
function listRemarks({ steps, host, load, isComplete }: BenchReport): string[] {
  const last = steps.at(-1);
  return [
    ...(isComplete ? [] : ['Stopped before the end: these are the steps that were finished.']),
    ...(last === undefined ? [] : [describeCosts(steps, last)]),
    ...describeFailures(steps),
    ...describeRefusedImages(load),
    ...describeOtherPrograms(steps, host.processors),
    ...describeFewAnswers(steps),
  ];
}

function describeCosts(steps: readonly StepReport[], { memoryMib }: StepReport): string {
  const callersMs = Math.max(...steps.map((step) => step.callersCpuMsPerRequest));
  const { proportional, peak } = memoryMib;
  const own =
    proportional === undefined ? '' : `, ${formatFigure(proportional)} not shared with others`;
  return `CPU ms a request are the server's; sending it took at most ${formatFigure(callersMs)} more of the same host.
The server's memory at the end: ${formatFigure(memoryMib.resident)} MiB resident${own}, at most ${formatFigure(peak)}.`;
}

function describeFailures(steps: readonly StepReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { failures } of steps) {
    for (const [reason, count] of Object.entries(failures)) {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
  }
  const messages = new Map(
    Object.values(wireErrors).map(({ wireCode, wireMessage }) => [String(wireCode), wireMessage]),
  );
  const parts = [...counts].map(([reason, count]) => {
    const message = messages.get(reason);
    return `${count} with ${reason}${message === undefined ? '' : ` (${message})`}`;
  });
  return parts.length === 0 ? [] : [`Failed requests: ${parts.join(', ')}.`];
}

function describeRefusedImages({ refusedImages, images }: BenchReport['load']): string[] {
  if (refusedImages.length === 0) {
    return [];
  }
  const lines = refusedImages.map(
    ({ file, code, detail }) => `  ${printable(file)}: error ${code}: ${printable(detail)}\n`,
  );
  const total = refusedImages.length + images;
  return [
    `${refusedImages.length} of ${total} images are not answered and were left out:\n${lines.join('').trimEnd()}`,
  ];
}

function describeOtherPrograms(steps: readonly StepReport[], processors: number): string[] {
  const most = Math.max(0, ...steps.map(({ otherProcessors = 0 }) => otherProcessors));
  return most < BUSY_SHARE * processors
    ? []
    : [
        `Other programs took up to ${formatFigure(most)} of the ${processors} processors meanwhile; with these at rest the figures are better.`,
      ];
}

function describeFewAnswers(steps: readonly StepReport[]): string[] {
  const few = steps.filter(({ answered }) => answered < LEAST_ANSWERS);
  const [first] = few;
  return first === undefined
    ? []
    : [
        `With ${few.length === 1 ? formatCallers(first.callers) : `${few.map(({ callers }) => callers).join(', ')} callers`} there were fewer than ${LEAST_ANSWERS} answers, so p99 is hardly more than the slowest one; a longer --duration helps.`,
      ];
}

function formatKib(bytes: number): string {
  return `${formatFigure(bytes / 1024)} KiB`;
}

function formatMib(mib: number): string {
  return mib < 1024 ? `${mib} MiB` : `${formatFigure(mib / 1024)} GiB`;
}
