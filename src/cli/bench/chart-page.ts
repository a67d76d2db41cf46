import { drawChart } from './chart.ts';
import { formatFigure } from './format.ts';
import type { BenchReport, StepReport } from './report.ts';
import { element, escapeXml } from './svg.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 1em; max-width: 800px; font: 14px system-ui, sans-serif; background: #ffffff; color: #1f2328; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3em 0.6em; text-align: right; border-bottom: 1px solid #d1d9e0; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #f0f6fc; }
  th, td { border-color: #3d444d; }
}
`;

const columns: readonly (readonly [title: string, read: (step: StepReport) => string])[] = [
  ['callers', ({ callers }) => String(callers)],
  ['requests/s', ({ requestsPerSecond }) => formatFigure(requestsPerSecond)],
  ['p50 ms', ({ latencyMs }) => formatFigure(latencyMs.p50)],
  ['p90 ms', ({ latencyMs }) => formatFigure(latencyMs.p90)],
  ['p99 ms', ({ latencyMs }) => formatFigure(latencyMs.p99)],
  ['CPU ms a request', ({ cpuMsPerRequest }) => formatFigure(cpuMsPerRequest)],
  ['memory MiB', ({ memoryMib }) => formatFigure(memoryMib.resident)],
  ['answered', ({ answered }) => String(answered)],
  ['failed', ({ failed }) => String(failed)],
];

/** The chart and the figures behind it as one page that loads nothing. */
export function drawChartPage(report: BenchReport): string {
  const { model, modelVersion } = report.service;
  const head = columns.map(([title]) => element('th', { scope: 'col' }, title));
  const rows = report.steps.map((step) =>
    element('tr', {}, ...columns.map(([, read]) => element('td', {}, read(step)))),
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>edge-infer bench: ${escapeXml(`${model} ${modelVersion}`)}</title>
<style>${STYLE}</style>
</head>
<body>
${drawChart(report)}
<table>
<thead>${element('tr', {}, ...head)}</thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`;
}
