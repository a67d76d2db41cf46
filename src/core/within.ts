import { setTimeout as delay } from 'node:timers/promises';

/** What a promise resolves with, or undefined after so many ms; nothing is kept alive by waiting. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const isOver = new AbortController();
  const patience = delay(ms, undefined, { ref: false, signal: isOver.signal });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    isOver.abort();
  }
}
