import { styleText } from 'node:util';
import { formatCallers, formatFigure } from './format.ts';
import type { StepReport } from './report.ts';

const MIN_BAR_WIDTH = 20;
const MAX_BAR_WIDTH = 72;

const backgrounds = [
  'bgBlue',
  'bgYellow',
  'bgMagenta',
  'bgGreen',
  'bgCyan',
  'bgRed',
  'bgWhite',
  'bgGray',
] as const;

/** The stages of all steps in the order of passing, the rest last. */
export function listStages(steps: readonly Pick<StepReport, 'stagesMs'>[]): string[] {
  const stages = new Set(steps.flatMap(({ stagesMs }) => Object.keys(stagesMs)));
  stages.delete('other');
  return [...stages, 'other'];
}

/**
 * A bar for each step that shows where a request's time goes, and what its letters mean. Colours
 * only repeat what the letters say.
 */
export function formatStageBars(
  steps: readonly Pick<StepReport, 'callers' | 'stagesMs' | 'latencyMs'>[],
  columns: number,
): string {
  const stages = listStages(steps);
  const marks = chooseMarks(stages);
  const labels = steps.map(({ callers }) => formatCallers(callers));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const totals = steps.map(({ latencyMs }) => `${formatFigure(latencyMs.mean)} ms`);
  const totalWidth = Math.max(...totals.map((total) => total.length));
  const room = columns - 1 - labelWidth - totalWidth - 4;
  const width = Math.max(MIN_BAR_WIDTH, Math.min(MAX_BAR_WIDTH, room));
  const bars = steps.map(({ stagesMs }, index) => {
    const cells = shareOut(
      stages.map((stage) => stagesMs[stage] ?? 0),
      width,
    );
    const bar = cells.map((count, stage) => paint(stage, (marks[stage] ?? '').repeat(count)));
    return `${labels[index]?.padEnd(labelWidth)}  ${bar.join('')}  ${totals[index]?.padStart(totalWidth)}`;
  });
  const legend = stages.map((stage, index) => `${paint(index, marks[index] ?? '')} ${stage}`);
  return `${bars.join('\n')}\n${wrap(legend, stages, columns)}\n`;
}

/** A letter for each stage: the first of its own that no other has. */
function chooseMarks(stages: readonly string[]): string[] {
  const taken = new Set<string>();
  return stages.map((stage) => {
    const mark = [...stage, '?'].find((letter) => !taken.has(letter)) ?? '?';
    taken.add(mark);
    return mark;
  });
}

/** Cells in proportion to the values; rounding runs on, so that they fill the width exactly. */
function shareOut(values: readonly number[], width: number): number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  let end = 0;
  return values.map((value) => {
    const start = end;
    sum += value;
    end = total > 0 ? Math.round((sum / total) * width) : 0;
    return end - start;
  });
}

function wrap(entries: readonly string[], names: readonly string[], columns: number): string {
  let text = '';
  let used = 0;
  for (const [index, entry] of entries.entries()) {
    const width = (names[index]?.length ?? 0) + 4; // mark, space and the gap behind it
    if (used > 0 && used + width > columns) {
      text = `${text.trimEnd()}\n`;
      used = 0;
    }
    text += `${entry}  `;
    used += width;
  }
  return text.trimEnd();
}

/** Colours only where standard output shows them: a terminal, and no NO_COLOR. */
function paint(index: number, text: string): string {
  const background = backgrounds[index % backgrounds.length] ?? 'bgGray';
  return text && styleText([background, 'black'], text, { stream: process.stdout });
}
