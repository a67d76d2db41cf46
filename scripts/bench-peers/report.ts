import type { Load, Results, Row } from './results.ts';

/** The whole of a run in Markdown: the table, and beneath it what a reader needs to judge it. */
export function renderReport(results: Results): string {
  const callers = results.rows[0]?.loads.map((load) => load.callers) ?? [];
  const head = [
    'server',
    'model',
    ...callers.flatMap((count) => [`requests/s, ${count} callers`, 'p99 ms', 'CPU ms a request']),
    'memory MB',
    'start s',
  ];
  const rows = results.rows.map((row, index) => [
    `${row.title}${footnoteOf(results, index)}`,
    row.variant,
    ...row.loads.flatMap((load) => [
      load.requestsPerSecond.toFixed(1),
      load.p99Ms.toFixed(0),
      load.cpuMs.toFixed(1),
    ]),
    ...renderSize(row),
  ]);
  return [
    `Measured ${results.date} on ${results.machine}; medians of ${results.rounds} interleaved rounds; ${results.photos}.`,
    renderTable(head, rows, 2),
    ...results.rows.flatMap((row, index) => {
      const remark = `${footnoteOf(results, index)} ${row.title}, ${row.variant}: ${row.remarks.join('; ')}.`;
      return row.remarks.length > 0 ? [remark] : [];
    }),
    ...renderLeftOut(results),
    'Configurations that were tried with float32, the chosen ones in bold (one short measurement each, which only chose):',
    renderTable(
      [
        'server',
        'configuration',
        ...callers.flatMap((count) => [`requests/s, ${count} callers`, 'p99 ms']),
      ],
      results.trials.map(({ title, configuration, loads, chosen }) => [
        title,
        chosen ? `**${configuration}**` : configuration,
        ...loads.flatMap((load) => [load.requestsPerSecond.toFixed(1), load.p99Ms.toFixed(0)]),
      ]),
      2,
    ),
    `Versions: ${renderVersions(results.rows)}.`,
    `The callers' own CPU time, ${renderCallerCpu(results.rows)} ms a request, is not in the figures; they run on the same cores.`,
  ].join('\n\n');
}

/** A few lines for the front page: 64 callers, one row a server. */
export function renderEssence(results: Results): string {
  const titles = [...new Set(results.rows.map((row) => row.title))];
  const rows = titles.map((title) => {
    const own = results.rows.filter((row) => row.title === title);
    const pick = (read: (row: Row, load: Load) => string) =>
      own.map((row) => read(row, row.loads.at(-1) as Load)).join(' / ');
    const index = results.rows.findIndex((row) => row.title === title);
    return [
      `${title}${results.rows[index]?.remarks.some((text) => text.startsWith('wrong')) ? ' (wrong answers)' : ''}`,
      pick((_, load) => load.requestsPerSecond.toFixed(0)),
      pick((_, load) => load.p99Ms.toFixed(0)),
      pick((_, load) => load.cpuMs.toFixed(1)),
      pick((row) => renderSize(row)[0] ?? ''),
      pick((row) => renderSize(row)[1] ?? ''),
    ];
  });
  const variants = [...new Set(results.rows.map((row) => row.variant))].join(' / ');
  const callers = results.rows[0]?.loads.at(-1)?.callers;
  return [
    `Model ${variants}, ${callers} callers, ${results.date}, ${results.machine}:`,
    renderTable(
      ['server', 'requests/s', 'p99 ms', 'CPU ms a request', 'memory MB', 'start s'],
      rows,
      1,
    ),
    ...renderLeftOut(results),
  ].join('\n\n');
}

/** Characters; logs can be long, and `results.json` has all of it. */
const LONGEST_REASON = 300;

function renderLeftOut({ leftOut }: Results): string[] {
  const entries = leftOut.map(
    ({ title, reason }) => `${title} (${reason.replaceAll(/\s+/g, ' ').slice(0, LONGEST_REASON)})`,
  );
  return entries.length > 0
    ? [`Left out, which says nothing of their speed: ${entries.join('; ')}.`]
    : [];
}

/** A superscript for a row with remarks, counted over the rows. */
function footnoteOf({ rows }: Results, index: number): string {
  const number = rows.slice(0, index + 1).filter((row) => row.remarks.length > 0).length;
  return rows[index]?.remarks.length ? `<sup>${number}</sup>` : '';
}

function renderSize({ memoryBytes, startMs }: Row): string[] {
  return [(memoryBytes / 1e6).toFixed(0), (startMs / 1000).toFixed(2)];
}

function renderVersions(rows: readonly Row[]): string {
  const byTitle = new Map(rows.map(({ title, versions }) => [title, versions]));
  return [...byTitle].map(([title, versions]) => `${title}: ${versions.join(', ')}`).join('; ');
}

function renderCallerCpu(rows: readonly Row[]): string {
  const all = rows.flatMap((row) => row.loads.map((load) => load.callerCpuMs));
  return `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`;
}

/** `leftColumns` hold text, the others numbers. */
function renderTable(head: string[], rows: string[][], leftColumns: number): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column < leftColumns ? '---' : '--:'));
  return [head, rule, ...rows].map(line).join('\n');
}

/**
 * Replaces what stands in a document between `<!-- NAME -->` and `<!-- /NAME -->`; an error when
 * the markers are not there, once and in this order.
 */
export function replaceBetweenMarkers(document: string, name: string, text: string): string {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, between, ...more] = document.split(opening);
  const [, after, ...evenMore] = between?.split(closing) ?? [];
  if (before === undefined || after === undefined || more.length > 0 || evenMore.length > 0) {
    throw new Error(`expected ${opening} and, after it, ${closing}, once each`);
  }
  return `${before}${opening}\n\n${text}\n\n${closing}${after}`;
}
