/**
 * Undoes the row filters of one image in place. Each line is a filter byte and `rowBytes` bytes,
 * from `start` on; `step` is the bytes of a pixel, at least 1. Returns the first unknown filter type.
 */
export function undoFilters(
  lines: Uint8Array,
  start: number,
  rows: number,
  rowBytes: number,
  step: number,
): number | undefined {
  for (let row = 0; row < rows; row++) {
    const at = start + row * (rowBytes + 1);
    const filter = lines[at] as number;
    const from = at + 1;
    const to = from + rowBytes;
    // Above the first row everything is zero.
    const up = row === 0 ? -1 : from - rowBytes - 1;
    if (filter === 0) continue;
    if (filter === 1) sub(lines, from, to, step);
    else if (filter === 2) above(lines, from, to, up);
    else if (filter === 3) average(lines, from, to, up, step);
    else if (filter === 4) paeth(lines, from, to, up, step);
    else return filter;
  }
  return undefined;
}

function sub(lines: Uint8Array, from: number, to: number, step: number): void {
  for (let i = from + step; i < to; i++) {
    lines[i] = (lines[i] as number) + (lines[i - step] as number);
  }
}

function above(lines: Uint8Array, from: number, to: number, up: number): void {
  if (up < 0) return;
  const back = from - up;
  for (let i = from; i < to; i++) {
    lines[i] = (lines[i] as number) + (lines[i - back] as number);
  }
}

function average(lines: Uint8Array, from: number, to: number, up: number, step: number): void {
  const back = from - up;
  const head = Math.min(to, from + step);
  if (up < 0) {
    for (let i = head; i < to; i++) {
      lines[i] = (lines[i] as number) + ((lines[i - step] as number) >> 1);
    }
    return;
  }
  for (let i = from; i < head; i++) {
    lines[i] = (lines[i] as number) + ((lines[i - back] as number) >> 1);
  }
  for (let i = head; i < to; i++) {
    const sum = (lines[i - step] as number) + (lines[i - back] as number);
    lines[i] = (lines[i] as number) + (sum >> 1);
  }
}

function paeth(lines: Uint8Array, from: number, to: number, up: number, step: number): void {
  // Without a row above the predictor is always the left neighbour.
  if (up < 0) {
    sub(lines, from, to, step);
    return;
  }
  const back = from - up;
  const head = Math.min(to, from + step);
  for (let i = from; i < head; i++) {
    lines[i] = (lines[i] as number) + (lines[i - back] as number);
  }
  for (let i = head; i < to; i++) {
    const left = lines[i - step] as number;
    const over = lines[i - back] as number;
    const corner = lines[i - back - step] as number;
    const toLeft = Math.abs(over - corner);
    const toOver = Math.abs(left - corner);
    const toCorner = Math.abs(left + over - 2 * corner);
    const best = toLeft <= toOver && toLeft <= toCorner ? left : toOver <= toCorner ? over : corner;
    lines[i] = (lines[i] as number) + best;
  }
}
