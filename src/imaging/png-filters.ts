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
    // How far back the byte above is; above the first row everything is zero.
    const back = row === 0 ? 0 : rowBytes + 1;
    if (filter === 0) continue;
    if (filter === 1) sub(lines, from, to, step);
    else if (filter === 2) above(lines, from, to, back);
    else if (filter === 3) average(lines, from, to, back, step);
    else if (filter === 4) paeth(lines, from, to, back, step);
    else return filter;
  }
  return undefined;
}

// The loops run over one byte of every pixel at a time, so that the neighbours to the left stay in
// variables: about twice as fast as reading them back (Paeth rows, Node 26).

function sub(lines: Uint8Array, from: number, to: number, step: number): void {
  for (let first = from; first < from + step; first++) {
    let left = 0;
    for (let i = first; i < to; i += step) {
      left = ((lines[i] as number) + left) & 255;
      lines[i] = left;
    }
  }
}

function above(lines: Uint8Array, from: number, to: number, back: number): void {
  if (back === 0) return;
  for (let i = from; i < to; i++) {
    lines[i] = (lines[i] as number) + (lines[i - back] as number);
  }
}

function average(lines: Uint8Array, from: number, to: number, back: number, step: number): void {
  for (let first = from; first < from + step; first++) {
    let left = 0;
    for (let i = first; i < to; i += step) {
      const over = back === 0 ? 0 : (lines[i - back] as number);
      left = ((lines[i] as number) + ((left + over) >> 1)) & 255;
      lines[i] = left;
    }
  }
}

function paeth(lines: Uint8Array, from: number, to: number, back: number, step: number): void {
  // Without a row above the predictor is always the left neighbour.
  if (back === 0) {
    sub(lines, from, to, step);
    return;
  }
  for (let first = from; first < from + step; first++) {
    let left = 0;
    let corner = 0;
    for (let i = first; i < to; i += step) {
      const over = lines[i - back] as number;
      // Distances of the three neighbours from left + over - corner.
      const horizontal = over - corner;
      const vertical = left - corner;
      const toLeft = Math.abs(horizontal);
      const toOver = Math.abs(vertical);
      const toCorner = Math.abs(horizontal + vertical);
      // Chosen by masks of the comparisons' signs (all ones when negative): photos make branches here
      // unpredictable, and the masks were measured to take a third of the time.
      const overNearer = (toOver - toLeft) >> 31;
      const nearest = toLeft + ((toOver - toLeft) & overNearer);
      const cornerNearer = (toCorner - nearest) >> 31;
      const side = left ^ ((left ^ over) & overNearer);
      const best = side ^ ((side ^ corner) & cornerNearer);
      left = ((lines[i] as number) + best) & 255;
      lines[i] = left;
      corner = over;
    }
  }
}
