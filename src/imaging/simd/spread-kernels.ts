/**
 * Bytes through a table of 256 elements into a tensor; called by `../tensor.ts`.
 * AssemblyScript, not TypeScript: see README.md. Steps are in bytes.
 */

function spread<T>(
  source: usize,
  sourceStep: usize,
  table: usize,
  target: usize,
  targetStep: usize,
  count: usize,
): void {
  const end = source + count * sourceStep;
  let to = target;
  for (let from = source; from < end; from += sourceStep) {
    store<T>(to, load<T>(table + <usize>load<u8>(from) * sizeof<T>()));
    to += targetStep;
  }
}

/** Elements of 1 byte: uint8. */
export function spread1(
  source: usize,
  sourceStep: usize,
  table: usize,
  target: usize,
  targetStep: usize,
  count: usize,
): void {
  spread<u8>(source, sourceStep, table, target, targetStep, count);
}

/** Elements of 2 bytes: float16. */
export function spread2(
  source: usize,
  sourceStep: usize,
  table: usize,
  target: usize,
  targetStep: usize,
  count: usize,
): void {
  spread<u16>(source, sourceStep, table, target, targetStep, count);
}

/** Elements of 4 bytes: float32. */
export function spread4(
  source: usize,
  sourceStep: usize,
  table: usize,
  target: usize,
  targetStep: usize,
  count: usize,
): void {
  spread<u32>(source, sourceStep, table, target, targetStep, count);
}
