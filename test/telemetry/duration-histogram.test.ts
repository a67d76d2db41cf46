import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createDurationHistogram } from '../../src/telemetry/duration-histogram.ts';

const name = 'duration_seconds';
const help = 'Durations of "things" \\ and others.';
const bucketsS = [0.001, 0.01, 0.1, 1];
const series = [
  { service: 'one', stage: 'run' },
  { service: '图像 "quoted"\n', stage: 'rank' },
];
/** Milliseconds; on bounds, between them, beyond all of them. */
const durations = [0, 0.5, 1, 1.0000001, 7.25, 10, 99.9, 100, 1000, 1001, 250_000];

test("renders byte for byte what prom-client's own histogram renders", async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const { begin, forget } = createDurationHistogram(ours, { name, help, bucketsS });
  const histogram = new Histogram({
    name,
    help,
    buckets: bucketsS,
    labelNames: ['service', 'stage'],
    registers: [theirs],
  });
  for (const labels of series) {
    const observe = begin(labels);
    for (const milliseconds of durations) {
      observe(milliseconds);
      histogram.observe(labels, milliseconds / 1000);
    }
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.metrics()).toContain('duration_seconds_count{service="one",stage="run"} 11');
  forget('one');
  histogram.remove(series[0] ?? {});
  expect(await ours.metrics()).toBe(await theirs.metrics());
});
