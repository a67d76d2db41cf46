import { styleText } from 'node:util';
import type { AnswerComparison, ComparedClass } from '../../inference/recorded-answer.ts';
import type { ServiceStatus } from '../../inference/service-status.ts';
import { count } from '../count.ts';
import { formatTable, GAP, printable } from '../text-table.ts';
import { displayWidth } from '../text-width.ts';
import type { ImageOutcome } from './compare-image.ts';
import type { Recording } from './recording.ts';
import type { Totals } from './totals.ts';

/** What is compared with what. */
export interface Verification {
  readonly model: NonNullable<ServiceStatus['model']>;
  /** How it runs here. */
  readonly means: {
    readonly variant?: string;
    readonly device?: string;
    readonly imaging?: string;
  };
  readonly recording: Recording;
  readonly scoreTolerance: number;
  /** Whether images that agree have a row, too. */
  readonly showsAgreeing: boolean;
}

/** How outcomes are written; each text ends its last line. */
export interface ReportFormat {
  header(): string;
  row(outcome: ImageOutcome): string;
  summary(totals: Totals): string;
}

/** JSON lines: an object an image, and one with the totals at the end. */
export function createJsonReport({
  model,
  means,
  recording,
  scoreTolerance,
}: Verification): ReportFormat {
  return {
    header: () => '',
    row: (outcome) =>
      `${JSON.stringify('error' in outcome ? outcome : { image: outcome.image, ...outcome.comparison })}\n`,
    summary(totals) {
      const { title, origin, imageCount } = recording;
      const against = { title, origin, images: imageCount };
      return `${JSON.stringify({ summary: { model, ...means, against, scoreTolerance, ...totals } })}\n`;
    },
  };
}

const LEAST_IMAGE_WIDTH = 40;
const CROP_WIDTH = 9;
const DIFFERENCE_WIDTH = 12;
const SCORE_DIGITS = 4;

/** A table for people, row by row: no row but the present one is held. */
export function createTextReport(verification: Verification): ReportFormat {
  const { model, means, recording, scoreTolerance, showsAgreeing } = verification;
  let hasTitles = false;

  function layOut(image: string, ...cells: string[]): string {
    const imageWidth = Math.max(LEAST_IMAGE_WIDTH, displayWidth(image) + GAP);
    const row = formatTable([[image, ...cells]], {
      widths: [imageWidth, CROP_WIDTH, DIFFERENCE_WIDTH, null],
    });
    const titles = hasTitles
      ? ''
      : formatTable([['IMAGE', 'CROP', 'DIFFERENCE', 'CLASS']], {
          widths: [imageWidth, CROP_WIDTH, DIFFERENCE_WIDTH, null],
        });
    hasTitles = true;
    return titles + row;
  }

  return {
    header() {
      const origin =
        recording.origin === undefined ? '' : `recorded with ${printable(recording.origin)}\n`;
      const name = printable(`${model.name} ${model.version}`);
      const how = `${means.variant} on ${means.device}, ${means.imaging} imaging`;
      return `${name} (${how}) against ${printable(recording.title)}\n${origin}\n`;
    },
    row(outcome) {
      const image = printable(outcome.image);
      if ('error' in outcome) {
        const { code, detail } = outcome.error;
        return layOut(image, '-', '-', paint('red', `error ${code}: ${printable(detail)}`));
      }
      const { comparison } = outcome;
      if (comparison.agrees && !showsAgreeing) {
        return '';
      }
      const { isCropEqual, isSameClass, isWithinTolerance, hereFirst, largestDifference } =
        comparison;
      const crop =
        isCropEqual === undefined ? '-' : isCropEqual ? 'equal' : paint('red', 'differs');
      const difference = formatDifference(largestDifference);
      const name = printable(hereFirst.name);
      return (
        layOut(
          image,
          crop,
          isWithinTolerance ? difference : paint('red', difference),
          isSameClass ? name : `${name} ${paint('red', 'FLIPPED')}`,
        ) + describeScores(comparison)
      );
    },
    summary(totals) {
      const { agree, differ, failed, cropsEqual, cropsDiffer, flipped, largest } = totals;
      const compared = agree + differ;
      const crops = cropsEqual + cropsDiffer;
      const lines = [
        `${agree} of ${count(compared + failed, 'image')} agree, ${differ} differ${failed > 0 ? `, ${failed} could not be compared` : ''}`,
        crops === 0
          ? 'crops: none recorded'
          : `crops: ${cropsEqual} of ${crops} equal${crops < compared ? `, ${compared - crops} not recorded` : ''}`,
        `first class: ${compared - flipped} of ${compared} the same`,
        largest === undefined
          ? 'largest difference of a score: none was compared'
          : `largest difference of a score: ${describeLargest(largest)}; up to ${scoreTolerance} is accepted`,
      ];
      return `${hasTitles ? '\n' : ''}${lines.map((line) => `${line}\n`).join('')}`;
    },
  };
}

function describeLargest({ difference, name, image }: NonNullable<Totals['largest']>): string {
  const where = difference === 0 ? '' : ` ("${printable(name)}", ${printable(image)})`;
  return `${formatDifference(difference)}${where}`;
}

/** Below a row: both scores of what differs. */
function describeScores({
  isSameClass,
  isWithinTolerance,
  recordedFirst,
  hereFirst,
  largest,
}: AnswerComparison): string {
  const shown = isSameClass
    ? isWithinTolerance
      ? []
      : [largest]
    : [
        recordedFirst,
        hereFirst,
        ...([recordedFirst, hereFirst].includes(largest) ? [] : [largest]),
      ];
  return shown.map((each) => `    ${formatScores(each)}\n`).join('');
}

export function formatScores({ name, recorded, here }: ComparedClass): string {
  const there = recorded === undefined ? 'not recorded' : `recorded ${formatScore(recorded)}`;
  return `${printable(name)}: ${there}, ${here === undefined ? 'no class of that name here' : `here ${formatScore(here)}`}`;
}

function formatScore(score: number): string {
  return score.toFixed(SCORE_DIGITS);
}

export function formatDifference(difference: number): string {
  return Number.isNaN(difference) ? 'unknown' : String(Number(difference.toPrecision(2)));
}

/** Colours only where standard output shows them: a terminal, and no NO_COLOR. */
function paint(style: 'red', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
