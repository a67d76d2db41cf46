import { scaleLinear, scaleLog } from 'd3-scale';
import { formatCallers, formatFigure } from './format.ts';
import { element, escapeXml } from './svg.ts';

interface LinePanel {
  readonly title: string;
  readonly callers: readonly number[];
  /** A value for each number of callers; what is not finite is left out. */
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
  /** Of the values; callers are always drawn on a logarithmic one, since they double. */
  readonly scale: 'linear' | 'log';
  /** Drawn across, when it lies within what is shown. */
  readonly limit?: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const MARGIN = { left: 70, right: 30, top: 48, bottom: 44 };
const TITLE_BASELINE = 16;
const LEGEND_BASELINE = 35;
const LEGEND_ENTRY_WIDTH = 110;
const LEAST_LABEL_DISTANCE = 30;
const POINT_RADIUS = 3.5;
/** Readable on white and on black, and told apart by colour-blind eyes (Okabe and Ito). */
const colours = ['#0e86d4', '#009e73', '#d55e00'];

/** Lines over numbers of callers, with axes and a legend. */
export function drawLines(panel: LinePanel): string {
  const { title, callers, lines, limit, top, width, height } = panel;
  const bottom = top + height - MARGIN.bottom;
  const right = width - MARGIN.right;
  const values = lines.flatMap((line) => line.values).filter(Number.isFinite);
  const y = chooseScale(panel.scale, [...values, limit ?? Number.NaN].filter(Number.isFinite));
  y.range([bottom, top + MARGIN.top]);
  const least = Math.min(...callers);
  const most = Math.max(...callers);
  const x = scaleLog([MARGIN.left + 10, right - 10]).domain(
    least === most ? [least / 2, most * 2] : [least, most],
  );

  const drawn = lines.map(({ name, values: own }, index) => {
    const colour = colours[index % colours.length] ?? '';
    const points = callers
      .map((count, place) => ({ count, value: own[place] ?? Number.NaN }))
      .filter(({ value }) => Number.isFinite(value));
    const path = points.map(({ count, value }) => `${fixed(x(count))},${fixed(y(value))}`);
    const dots = points.map(({ count, value }) =>
      element(
        'circle',
        { cx: x(count), cy: y(value), r: POINT_RADIUS, fill: colour },
        element('title', {}, `${formatCallers(count)}: ${name} ${formatFigure(value)}`),
      ),
    );
    const line = element('polyline', { class: 'line', stroke: colour, points: path.join(' ') });
    return line + dots.join('');
  });
  const legend = lines.map(({ name }, index) => ({
    name,
    colour: colours[index % colours.length],
  }));
  return [
    element('text', { class: 'ink panel-title', x: 20, y: top + TITLE_BASELINE }, escapeXml(title)),
    lines.length > 1 ? drawLegend(legend, top) : '',
    ...pickTicks(panel.scale, y).map((tick) => {
      const place = y(tick);
      return (
        element('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: place, y2: place }) +
        element('text', { class: 'soft end', x: MARGIN.left - 8, y: place + 4 }, String(tick))
      );
    }),
    ...spreadLabels(callers, x).map((count) =>
      element('text', { class: 'soft middle', x: x(count), y: bottom + 18 }, String(count)),
    ),
    element('text', { class: 'soft end', x: right, y: bottom + 36 }, 'callers at once'),
    limit === undefined ? '' : drawLimit(limit, y(limit), right),
    ...drawn,
  ].join('');
}

function chooseScale(kind: LinePanel['scale'], values: readonly number[]) {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)];
  return kind === 'linear'
    ? scaleLinear().domain([0, most]).nice()
    : scaleLog().domain([least / 1.3, most * 1.3]);
}

/** On a logarithmic scale only 1, 2 and 5 of each power of ten. */
function pickTicks(kind: LinePanel['scale'], scale: ReturnType<typeof chooseScale>): number[] {
  const ticks = scale.ticks(5);
  return kind === 'linear'
    ? ticks
    : scale.ticks(100).filter((tick) => /^[0.]*[125]0*$/.test(String(tick)));
}

/** The numbers whose labels do not run into each other, the largest first. */
function spreadLabels(callers: readonly number[], x: (value: number) => number): number[] {
  let previous = Number.POSITIVE_INFINITY;
  return callers.toReversed().filter((count) => {
    const isApart = previous - x(count) >= LEAST_LABEL_DISTANCE;
    previous = isApart ? x(count) : previous;
    return isApart;
  });
}

function drawLegend(
  entries: readonly { readonly name: string; readonly colour: string | undefined }[],
  top: number,
): string {
  return entries
    .map(({ name, colour = '' }, index) => {
      const x = MARGIN.left + index * LEGEND_ENTRY_WIDTH;
      const y = top + LEGEND_BASELINE;
      return (
        element('circle', { cx: x, cy: y - 4, r: POINT_RADIUS, fill: colour }) +
        element('text', { class: 'ink', x: x + 10, y }, escapeXml(name))
      );
    })
    .join('');
}

function drawLimit(limit: number, y: number, right: number): string {
  return (
    element('line', { class: 'budget', x1: MARGIN.left, x2: right, y1: y, y2: y }) +
    element('text', { class: 'soft end', x: right, y: y - 5 }, `budget ${formatFigure(limit)} ms`)
  );
}

function fixed(value: number): string {
  return value.toFixed(1);
}
