import { scaleBand, scaleLinear } from 'd3-scale';
import { formatCallers, formatFigure } from './format.ts';
import type { StepReport } from './report.ts';
import { listStages } from './stage-bars.ts';
import { element, escapeXml } from './svg.ts';

const MARGIN = { left: 90, right: 90, top: 28 };
const TITLE_BASELINE = 16;
const ROW_HEIGHT = 26;
const LEGEND_ROW_HEIGHT = 20;
const LEAST_LABELLED_SHARE = 0.06;
/** About the width of a character, which SVG written without a font cannot know. */
const CHARACTER_WIDTH = 7;

/** Fills, and what is readable on each of them. */
const colours = [
  ['#56b4e9', '#000'],
  ['#f0e442', '#000'],
  ['#cc79a7', '#000'],
  ['#009e73', '#000'],
  ['#e69f00', '#000'],
  ['#0072b2', '#fff'],
  ['#d55e00', '#000'],
  ['#b8a1e3', '#000'],
  ['#8c959f', '#000'],
] as const;

/** A bar for each number of callers: the stages' shares of a request's time. */
export function drawStages(
  steps: readonly StepReport[],
  { top, width }: { readonly top: number; readonly width: number },
): { readonly svg: string; readonly height: number } {
  const stages = listStages(steps);
  const legend = drawLegend(stages, top + MARGIN.top, width);
  const barsTop = top + MARGIN.top + legend.height;
  const bottom = barsTop + steps.length * ROW_HEIGHT;
  const y = scaleBand<number>()
    .domain(steps.map(({ callers }) => callers))
    .range([barsTop, bottom])
    .paddingInner(0.25);
  const x = scaleLinear().range([MARGIN.left, width - MARGIN.right]);

  const rows = steps.map(({ callers, stagesMs, latencyMs }) => {
    const rowTop = y(callers) ?? 0;
    const baseline = rowTop + y.bandwidth() / 2 + 4;
    const total = Object.values(stagesMs).reduce((sum, each) => sum + each, 0);
    let start = 0;
    const bars = stages.map((stage, index) => {
      const milliseconds = stagesMs[stage] ?? 0;
      const share = total > 0 ? milliseconds / total : 0;
      const [fill, ink] = colourOf(index);
      const left = x(start);
      start += share;
      const right = x(start);
      const percent = `${Math.round(share * 100)} %`;
      const tip = `${stage}: ${formatFigure(milliseconds)} ms, ${percent}`;
      const bar = element(
        'rect',
        { x: left, y: rowTop, width: right - left, height: y.bandwidth(), fill },
        element('title', {}, escapeXml(tip)),
      );
      return share < LEAST_LABELLED_SHARE
        ? bar
        : bar +
            element(
              'text',
              { class: 'middle', x: (left + right) / 2, y: baseline, fill: ink },
              percent,
            );
    });
    return [
      element(
        'text',
        { class: 'ink end', x: MARGIN.left - 8, y: baseline },
        formatCallers(callers),
      ),
      ...bars,
      element(
        'text',
        { class: 'ink', x: width - MARGIN.right + 8, y: baseline },
        `${formatFigure(latencyMs.mean)} ms`,
      ),
    ].join('');
  });
  const title = 'Where the time of a request goes, on average';
  const heading = { class: 'ink panel-title', x: 20, y: top + TITLE_BASELINE };
  const svg = [element('text', heading, title), legend.svg, ...rows].join('');
  return { svg, height: bottom - top };
}

function drawLegend(stages: readonly string[], top: number, width: number) {
  let x = MARGIN.left;
  let baseline = top + 12;
  const entries = stages.map((stage, index) => {
    const entryWidth = stage.length * CHARACTER_WIDTH + 30;
    if (x + entryWidth > width - MARGIN.right) {
      x = MARGIN.left;
      baseline += LEGEND_ROW_HEIGHT;
    }
    const [fill] = colourOf(index);
    const swatch = element('rect', { x, y: baseline - 10, width: 12, height: 12, fill });
    const label = element('text', { class: 'ink', x: x + 17, y: baseline }, escapeXml(stage));
    x += entryWidth;
    return swatch + label;
  });
  return { svg: entries.join(''), height: baseline - top + 12 };
}

function colourOf(index: number): (typeof colours)[number] {
  return colours[index % colours.length] ?? colours[0];
}
