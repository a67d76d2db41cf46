import { styleText } from 'node:util';
import { formatTable, GAP, printable, type Row } from '../text-table.ts';
import { breakText, displayWidth, padText } from '../text-width.ts';
import type { ResultFormat } from './result-lines.ts';

const SCORE_WIDTH = 8;
const SCORE_DIGITS = 4;
/** Of a terminal, in characters; beyond the upper one a table is no easier to read. */
const MIN_WIDTH = 40;
const MAX_WIDTH = 110;
/** Of what is no terminal: longer names take the room they need, so that nothing is cut up. */
const LEAST_FILE_WIDTH = 48;
const LEAST_NAME_WIDTH = 32;

/**
 * A table for people, row by row: the widths are settled beforehand, since no later row is known.
 * `columns` is the width of the terminal, undefined when the output is no terminal.
 */
export function createResultTable(columns: number | undefined): ResultFormat {
  return columns === undefined ? createPlainTable() : createTerminalTable(columns);
}

function createTerminalTable(columns: number): ResultFormat {
  const total = Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns - 1));
  const fileWidth = Math.floor((total - SCORE_WIDTH) / 2);
  const nameWidth = total - fileWidth - SCORE_WIDTH;
  const widths = [fileWidth, nameWidth, SCORE_WIDTH];
  return {
    header: () => layOut([titles.map((title) => paint('bold', title))], widths),
    format(result) {
      const file = breakText(printable(result.file), fileWidth - GAP);
      return 'error' in result
        ? layOut([[file, { content: paint('red', describe(result.error)), colSpan: 2 }]], widths)
        : layOut(
            result.results.map(({ name, score }, place) => [
              place === 0 ? file : '',
              breakText(printable(name), nameWidth - GAP),
              score.toFixed(SCORE_DIGITS),
            ]),
            widths,
          );
    },
  };
}

function createPlainTable(): ResultFormat {
  const leastWidths = [LEAST_FILE_WIDTH, LEAST_NAME_WIDTH, SCORE_WIDTH];
  return {
    header: () => layOut([titles], leastWidths),
    format(result) {
      const file = printable(result.file);
      const fileWidth = Math.max(LEAST_FILE_WIDTH, displayWidth(file) + GAP);
      if ('error' in result) {
        return `${padText(file, fileWidth)}${describe(result.error)}\n`;
      }
      const names = result.results.map(({ name }) => printable(name));
      const nameWidth = Math.max(
        LEAST_NAME_WIDTH,
        ...names.map((name) => displayWidth(name) + GAP),
      );
      return layOut(
        result.results.map(({ score }, place) => [
          file, // in every row, for grep and awk
          names[place] ?? '',
          score.toFixed(SCORE_DIGITS),
        ]),
        [fileWidth, nameWidth, SCORE_WIDTH],
      );
    },
  };
}

const titles = ['FILE', 'CLASS', 'SCORE'];

function layOut(rows: readonly Row[], widths: readonly number[]): string {
  return formatTable(rows, { widths, aligns: ['left', 'left', 'right'] });
}

function describe({ code, detail }: { code: number | string; detail: string }): string {
  return `error ${code}: ${printable(detail)}`;
}

/** Colours only where standard output shows them: a terminal, and no NO_COLOR. */
function paint(style: 'red' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
