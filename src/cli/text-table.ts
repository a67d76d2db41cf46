import Table from 'cli-table3';

type CellOptions = Extract<Table.Cell, { content: unknown }>;
export type Row = (string | CellOptions)[];

const noLines = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

/** Spaces between columns; they count towards the width of the left one. */
export const GAP = 2;

export interface TableLayout {
  /** In characters of the terminal; `null` is as wide as the widest cell. */
  readonly widths: readonly (number | null)[];
  readonly aligns?: readonly ('left' | 'right')[];
}

/** Lays rows out in columns without lines around them; what is too wide for its column wraps. */
export function formatTable(rows: readonly Row[], layout: TableLayout): string {
  const table = new Table({
    chars: noLines,
    colWidths: [...layout.widths],
    colAligns: [...(layout.aligns ?? [])],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    wordWrap: true,
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Text as it may go to a terminal: names of files and classes can hold control characters. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}
