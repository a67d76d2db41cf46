/**
 * Runs `task` on the items, at most `limit` at a time, and yields the outcomes in the items' order.
 * Items are taken only when there is room, and a slow consumer holds everything up, so memory does
 * not grow with their number. `task` must not reject.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  task: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      running.push(task(item));
      if (running.length >= limit) {
        yield await (running.shift() as Promise<R>);
      }
    }
    for (const outcome of running) {
      yield await outcome;
    }
  } finally {
    await Promise.all(running); // a consumer that ends early leaves nothing running behind
  }
}

/** Ends between two items once the signal aborts; what was yielded before is finished and printed. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  for await (const item of items) {
    if (signal.aborted) {
      return;
    }
    yield item;
  }
}
