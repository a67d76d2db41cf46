/** How a service is spread over the processors: so many workers, each running on so many threads. */
export interface ParallelShape {
  readonly workers: number;
  readonly threads: number;
}

export interface WantedShape {
  readonly workers: 'auto' | number;
  readonly threads: 'auto' | number;
}

/**
 * `processors` is how many this process may really use. One thread a worker, and a worker for each
 * processor: several sessions of one thread answer more requests than one session with several
 * (scripts/README.md has the figures). With more threads there are fewer workers, so that all of
 * them together have a processor for each thread.
 */
export function chooseShape(wanted: WantedShape, processors: number): ParallelShape {
  const threads = wanted.threads === 'auto' ? 1 : wanted.threads;
  const workers =
    wanted.workers === 'auto' ? Math.max(1, Math.floor(processors / threads)) : wanted.workers;
  return { workers, threads };
}
