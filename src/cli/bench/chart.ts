import { drawLines } from './chart-lines.ts';
import { drawStages } from './chart-stages.ts';
import { formatFigure } from './format.ts';
import type { BenchReport } from './report.ts';
import { describeSetup } from './report-text.ts';
import { element, escapeXml } from './svg.ts';

const WIDTH = 800;
const LEFT = 20;
const RATE_HEIGHT = 230;
const LATENCY_HEIGHT = 290;
const LINE_HEIGHT = 17;
const GAP = 20;
/** A line of text of the chart's size fills about the width. */
const LINE_CHARACTERS = 125;

/** Light or dark as the reader's system prefers. */
const STYLE = `
.chart { font: 12px system-ui, sans-serif; }
.paper { fill: #ffffff; }
.ink { fill: #1f2328; }
.soft { fill: #59636e; }
.title { font-size: 17px; font-weight: 600; }
.panel-title { font-size: 14px; font-weight: 600; }
.grid { stroke: #d1d9e0; }
.budget { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 6 4; }
.line { fill: none; stroke-width: 2; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117; }
  .ink { fill: #f0f6fc; }
  .soft { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .budget { stroke: #9198a1; }
}
`;

/** The figures as an SVG file that needs nothing else: rate, latencies, stages, set-up. */
export function drawChart(report: BenchReport): string {
  const { steps, budget, service } = report;
  const best = Math.max(...steps.map(({ requestsPerSecond }) => requestsPerSecond));
  const title = `${service.model} ${service.modelVersion}: ${formatFigure(best)} requests/s`;
  const conclusion = breakLines(report.conclusion);
  const setup = describeSetup(report).trimEnd().split('\n').flatMap(breakLines);
  const callers = steps.map((step) => step.callers);

  const rateTop = 56 + conclusion.length * LINE_HEIGHT + GAP;
  const latencyTop = rateTop + RATE_HEIGHT;
  const stagesTop = latencyTop + LATENCY_HEIGHT;
  const stages = drawStages(steps, { top: stagesTop, width: WIDTH });
  const setupTop = stagesTop + stages.height + 2 * GAP;
  const height = setupTop + setup.length * LINE_HEIGHT + GAP;
  return element(
    'svg',
    {
      ...{ xmlns: 'http://www.w3.org/2000/svg', class: 'chart', role: 'img' },
      ...{ width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${Math.ceil(height)}` },
    },
    element('title', {}, escapeXml(title)),
    element('style', {}, STYLE),
    element('rect', { class: 'paper', width: WIDTH, height }),
    element('text', { class: 'ink title', x: LEFT, y: 32 }, escapeXml(title)),
    drawText(conclusion, 'ink', 56),
    drawLines({
      ...{ title: 'Requests a second', callers, top: rateTop, width: WIDTH, height: RATE_HEIGHT },
      lines: [{ name: 'requests/s', values: steps.map((step) => step.requestsPerSecond) }],
      scale: 'linear',
    }),
    drawLines({
      title: 'Latency in ms, as the callers see it',
      ...{ callers, top: latencyTop, width: WIDTH, height: LATENCY_HEIGHT },
      lines: (['p50', 'p90', 'p99'] as const).map((name) => ({
        name,
        values: steps.map(({ latencyMs }) => latencyMs[name]),
      })),
      scale: 'log',
      ...(budget === undefined ? {} : { limit: budget.p99Ms }),
    }),
    stages.svg,
    drawText(setup, 'soft', setupTop),
  );
}

function drawText(lines: readonly string[], style: string, top: number): string {
  return lines
    .map((line, index) =>
      element('text', { class: style, x: LEFT, y: top + index * LINE_HEIGHT }, escapeXml(line)),
    )
    .join('');
}

/** Breaks a text at spaces into lines that fit: SVG does not do it. */
function breakLines(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > LINE_CHARACTERS) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
