/** A time in ms that all threads share, whatever is done to the clock; `performance` starts anew in each. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
