/** One round's result, for the server or for what it is compared with. */
export interface Measurement {
  readonly imagesPerSecond: number;
  /** CPU time of the measured process, all its threads. */
  readonly cpuMsPerImage: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
