import type { Histogram, Registry } from 'prom-client';

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in rising order, in seconds. */
  readonly bucketsS: readonly number[];
}

/** Counts one duration of a series. */
export type Observe = (milliseconds: number) => void;

/** Its series, of which each belongs to a service. */
export interface DurationHistogram {
  /** A series that is new; returns what adds to it. */
  begin(labels: SeriesLabels): Observe;
  /** Ends the series of a service. */
  forget(service: string): void;
}

type SeriesLabels = Readonly<Record<string, string>> & { readonly service: string };

interface Series {
  readonly labels: SeriesLabels;
  /** How many lay in each bucket, not cumulated; the last one has no bound. */
  readonly counts: number[];
  sumS: number;
}

/**
 * A histogram of durations that prom-client renders as its own. Its own looks its labels up for
 * every observation, which costs the main thread 4 microseconds for the eight of each request.
 * Here a series is looked up once.
 */
export function createDurationHistogram(
  registry: Registry,
  { name, help, bucketsS }: HistogramOptions,
): DurationHistogram {
  let all: readonly Series[] = [];
  const get = () =>
    Promise.resolve({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: all.flatMap((series) => renderSeries(name, bucketsS, series)),
    });
  // The registry asks no more of a metric than this.
  registry.registerMetric({ name, get } as unknown as Histogram);

  return {
    forget(service) {
      all = all.filter(({ labels }) => labels.service !== service);
    },
    begin(labels) {
      const series: Series = { labels, counts: Array(bucketsS.length + 1).fill(0), sumS: 0 };
      all = [...all, series];
      return (milliseconds) => {
        const seconds = milliseconds / 1000;
        let bucket = 0;
        while (seconds > (bucketsS[bucket] ?? Number.POSITIVE_INFINITY)) {
          bucket++;
        }
        series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
        series.sumS += seconds;
      };
    },
  };
}

function renderSeries(
  name: string,
  bucketsS: readonly number[],
  { labels, counts, sumS }: Series,
): object[] {
  let count = 0;
  const buckets = counts.map((inBucket, index) => {
    count += inBucket;
    const le = bucketsS[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumS },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
