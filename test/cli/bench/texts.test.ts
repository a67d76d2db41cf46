import { describe, expect, test } from 'vitest';
import { conclude } from '../../../src/cli/bench/conclusion.ts';
import type { StepReport } from '../../../src/cli/bench/report.ts';
import { formatStageBars } from '../../../src/cli/bench/stage-bars.ts';

const stagesMs = { receive: 1, wait: 49, decode: 12, resample: 8, run: 25, rank: 0.01, other: 5 };

function step(callers: number, requestsPerSecond: number, p99: number, failed = 0): StepReport {
  return {
    ...{ callers, seconds: 5, answered: 5 * requestsPerSecond, failed, failures: {} },
    requestsPerSecond,
    latencyMs: { mean: 100, p50: 100, p90: 100, p99, max: p99 },
    ...{ cpuMsPerRequest: 16, callersCpuMsPerRequest: 0.1 },
    ...{ memoryMib: { resident: 200, peak: 200 }, stagesMs },
  };
}

describe('the bars of the stages', () => {
  test.each([40, 80, 200])('fill their width in proportion, in %i columns', (columns) => {
    const text = formatStageBars([step(1, 50, 100), step(64, 50, 100)], columns);
    const [first = '', second = '', ...legend] = text.trimEnd().split('\n');
    expect(first).toMatch(/^1 caller {4}\S+ {2}100 ms$/);
    expect(second).toMatch(/^64 callers {2}\S+ {2}100 ms$/);
    const bar = first.split(/ +/)[2] ?? '';
    expect(bar).toMatch(/^r?w+d+e+u+o+$/);
    const share = (mark: string) => (bar.split(mark).length - 1) / bar.length;
    expect(Math.abs(share('w') - 0.49)).toBeLessThan(0.05);
    expect(Math.abs(share('u') - 0.25)).toBeLessThan(0.05);
    expect(legend.join('  ')).toBe(
      'r receive  w wait  d decode  e resample  u run  a rank  o other',
    );
    for (const line of text.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(Math.max(columns, 45));
    }
  });

  test('stand without stages too', () => {
    expect(formatStageBars([{ ...step(1, 0, 0), stagesMs: {} }], 80)).toContain('1 caller');
  });
});

describe('the conclusion', () => {
  test('names the limit and what comes after it', () => {
    expect(conclude([step(1, 60, 20), step(2, 116, 21), step(64, 118, 600)])).toBe(
      "118 requests/s is this host's limit, reached with 2 callers (p99 21.0 ms); more only wait longer (p99 600 ms with 64).",
    );
  });

  test('does not call a limit what may only be the end of the measuring', () => {
    expect(conclude([step(1, 60, 20), step(2, 118, 21)])).toBe(
      'The most were 118 requests/s, with 2 callers (p99 21.0 ms); more callers may get more.',
    );
  });

  test('names the callers within the budget, and failures', () => {
    const steps = [step(1, 110, 20), step(12, 118, 190), step(64, 118, 600, 7)];
    expect(conclude(steps, { p99Ms: 200, callers: 12, isAtLeast: false })).toBe(
      "Up to 12 callers at once p99 stays within 200 ms (measured). 118 requests/s is this host's limit, reached with 12 callers (p99 190 ms); more only wait longer (p99 600 ms with 64). With 64 callers 7 of 597 requests failed: they are counted in no other figure.",
    );
    expect(conclude(steps, { p99Ms: 5, callers: 0, isAtLeast: false })).toMatch(
      /^Not even one caller has a p99 within 5 ms\./,
    );
    expect(conclude(steps, { p99Ms: 900, callers: 64, isAtLeast: true })).toMatch(
      /^Up to 64 callers at once p99 stays within 900 ms \(measured\), and more were not tried\./,
    );
  });
});
