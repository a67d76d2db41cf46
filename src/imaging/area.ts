/** Rows of bytes inside a buffer: the first one's offset, and the bytes from each to the next. */
export interface Area {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly stride: number;
}

/** The same area from a row on. */
export function fromRow({ data, offset, stride }: Area, row: number): Area {
  return { data, offset: offset + row * stride, stride };
}

/** Copies rows of `rowBytes`, at once where neither area has anything between them. */
export function copyRows(source: Area, target: Area, rowBytes: number, rows: number): void {
  const isDense = source.stride === rowBytes && target.stride === rowBytes;
  const pieces = isDense ? Math.min(rows, 1) : rows;
  const length = isDense ? rowBytes * rows : rowBytes;
  for (let piece = 0; piece < pieces; piece++) {
    const from = source.offset + piece * source.stride;
    target.data.set(
      source.data.subarray(from, from + length),
      target.offset + piece * target.stride,
    );
  }
}
