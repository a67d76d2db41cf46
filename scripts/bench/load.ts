import autocannon, { type Result } from 'autocannon';

export interface LoadOptions {
  /** `http://HOST:PORT/NAME/ImageClassification` */
  readonly url: string;
  readonly bodies: readonly string[];
  readonly callers: number;
  readonly requestCount: number;
}

/** autocannon notices the end only when it samples, a second apart unless told otherwise. */
const SAMPLE_INTERVAL_MS = 10;

/** Sends requests from a number of callers, each waiting for its answer before the next. */
export async function sendLoad(options: LoadOptions): Promise<Result> {
  const result = await autocannon({
    url: options.url,
    connections: options.callers,
    amount: options.requestCount,
    timeout: 60,
    sampleInt: SAMPLE_INTERVAL_MS,
    requests: options.bodies.map((body) => ({ method: 'POST', body })),
  });
  const failed = result.errors + result.non2xx + result.mismatches;
  if (failed > 0) {
    throw new Error(`${failed} of ${options.requestCount} requests failed`);
  }
  return result;
}
