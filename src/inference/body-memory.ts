/**
 * Memory for request bodies, used again and again: shared memory is invisible to the garbage
 * collector's accounting, so fresh pieces for each request would pile up between collections.
 */
export interface BodyMemory {
  /** At least `byteCount` bytes, holding whatever they held before. */
  take(byteCount: number): SharedArrayBuffer;
  giveBack(memory: SharedArrayBuffer): void;
}

const SMALLEST_BYTES = 64 * 1024;
/** Kept for the next requests; what comes back beyond it is left to the garbage collector. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

export function createBodyMemory(): BodyMemory {
  const keptBySize = new Map<number, SharedArrayBuffer[]>();
  let keptBytes = 0;

  return {
    take(byteCount) {
      const size = sizeClass(byteCount);
      const kept = keptBySize.get(size)?.pop();
      if (kept === undefined) {
        return new SharedArrayBuffer(size);
      }
      keptBytes -= size;
      return kept;
    },
    giveBack(memory) {
      const size = memory.byteLength;
      if (keptBytes + size > MAX_KEPT_BYTES) {
        return;
      }
      keptBytes += size;
      const kept = keptBySize.get(size);
      if (kept === undefined) {
        keptBySize.set(size, [memory]);
      } else {
        kept.push(memory);
      }
    },
  };
}

/** Powers of two, so that bodies of similar length fit the same pieces. */
export function sizeClass(byteCount: number): number {
  let size = SMALLEST_BYTES;
  while (size < byteCount) {
    size *= 2;
  }
  return size;
}
