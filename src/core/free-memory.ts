import { isMarkedAsUntransferable } from 'node:worker_threads';

/**
 * Frees an array's memory now; the array is empty afterwards. The garbage collector hardly sees
 * memory outside its heap, and lets the bytes of dozens of requests pile up in it.
 * The runtime marks the pools that it cuts small buffers from: they are left alone.
 */
export function freeMemory({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer)) {
    buffer.transfer(0);
  }
}
