import { describe, expect, test } from 'vitest';
import type { Component, ComponentKind } from '../../src/hardware/components.ts';
import { DAY_MS, HOUR_MS } from '../../src/licensing/clock-policy.ts';
import {
  findEvaluation,
  isOfThisHost,
  issueEvaluation,
  judgeEvaluation,
} from '../../src/licensing/evaluation.ts';
import { emptyContent, mergeContents } from '../../src/licensing/record-content.ts';

const builtMs = Date.UTC(2026, 10, 1);
const startMs = Date.UTC(2027, 0, 1);
const in2099 = Date.UTC(2099, 0, 1);

/** A component whose digest says nothing but which one it is. */
const component = (kind: ComponentKind, serial: number): Component => ({
  kind,
  digest: serial.toString(16).padStart(64, '0'),
});

const cpu = component('cpu-model', 6);

const host = [
  component('product-uuid', 1),
  component('root-disk', 2),
  component('network-card', 3),
  component('network-card', 4),
  component('machine-id', 5),
  cpu,
];

function createEvaluation() {
  let evaluation = issueEvaluation(emptyContent, host);
  let ranMs = 0;
  return {
    /** Runs with a clock that goes on from `nowMs` and tells the last state. */
    run(nowMs: number, forMs: number): string {
      for (let done = 0; ; done = Math.min(forMs, done + HOUR_MS / 4)) {
        const reading = { nowMs: nowMs + done, ranMs: ranMs + done, builtMs };
        const judged = judgeEvaluation(evaluation, 30, reading);
        evaluation = judged.evaluation;
        if (done === forMs) {
          ranMs += forMs;
          const { verdict } = judged;
          return 'reason' in verdict ? `${verdict.state} ${verdict.reason}` : verdict.state;
        }
      }
    },
    get beganMs() {
      return evaluation.beganMs;
    },
  };
}

describe('the days', () => {
  test('count from the first start', () => {
    const trial = createEvaluation();
    for (let days = 0; days < 16; days++) {
      expect(trial.run(startMs + days * DAY_MS, 3 * HOUR_MS)).toBe('TRIAL');
    }
    expect(trial.beganMs).toBe(startMs);
    expect(trial.run(startMs + 29 * DAY_MS, HOUR_MS)).toBe('CLOCK_SUSPECT jump');
    expect(trial.run(startMs + 29 * DAY_MS, DAY_MS + HOUR_MS)).toBe('EXPIRED date');
  });

  test.each([
    ['in 1970', 0, 'CLOCK_SUSPECT implausible'],
    ['in 2099', in2099, 'CLOCK_SUSPECT implausible'],
    ['with a clock two months behind', startMs - 60 * DAY_MS + HOUR_MS, 'TRIAL'],
    ['with a clock a year ahead', startMs + 365 * DAY_MS, 'TRIAL'],
  ])('count anew when the clock is set after a first start %s', (_name, firstMs, first) => {
    const trial = createEvaluation();
    expect(trial.run(firstMs, 20 * HOUR_MS)).toBe(first);
    expect(trial.run(startMs + DAY_MS, 28 * DAY_MS)).toMatch(/^EXPIRING/);
    expect(trial.beganMs).toBe(startMs + DAY_MS - 20 * HOUR_MS);
    expect(trial.run(startMs + 29 * DAY_MS, 2 * DAY_MS)).toMatch(/^EXPIRED/);
  });

  test('are not given again by setting the clock back after the first', () => {
    const trial = createEvaluation();
    trial.run(startMs, 5 * DAY_MS);
    expect(trial.run(startMs + 2 * DAY_MS, HOUR_MS)).toBe('CLOCK_ROLLBACK');
    expect(trial.beganMs).toBe(startMs);
  });

  test('that were dated by a clock a year ahead do not lock out', () => {
    const trial = createEvaluation();
    trial.run(startMs + 365 * DAY_MS, 26 * HOUR_MS);
    expect(trial.run(startMs, HOUR_MS)).toBe('CLOCK_SUSPECT implausible');
  });

  test.each([
    ['in 1970', 0],
    ['the same day again and again', startMs],
  ])('are no more of running time than 31, %s', (_name, nowMs) => {
    const trial = createEvaluation();
    for (let days = 0; days < 62; days++) {
      expect(/^EXPIRED/.test(trial.run(nowMs, DAY_MS / 2)), `half day ${days}`).toBe(days === 61);
    }
  });
});

describe('the host', () => {
  const evaluation = issueEvaluation(emptyContent, host);
  const changed = (...kinds: readonly string[]) =>
    host.map((each) => (kinds.includes(each.kind) ? component(each.kind, 99) : each));

  test.each<[name: string, components: readonly Component[], isSame: boolean]>([
    ['as it was', host, true],
    ['with one of two network cards', host.toSpliced(2, 1), true],
    ['with half of it changed', changed('root-disk', 'machine-id'), true],
    [
      'with one number of its hardware left',
      changed('root-disk', 'machine-id', 'product-uuid'),
      true,
    ],
    ['with another disk alone', [component('root-disk', 99), component('machine-id', 5)], true],
    ['that was cloned', changed('product-uuid', 'root-disk', 'network-card'), false],
    ['that is another', changed(...host.map(({ kind }) => kind)), false],
    [
      'that is another of the same model',
      [...changed(...host.map(({ kind }) => kind)), cpu],
      false,
    ],
    ['with another processor', [component('cpu-model', 99)], true],
    ['with another machine id alone', [component('machine-id', 99), cpu], false],
    ['read without root', host.filter(({ kind }) => kind === 'machine-id'), true],
    ['of which nothing can be read', [], true],
    ['of which other things can be read', [component('cpu-model', 7)], true],
    ['with a digest of another kind', [component('root-disk', 1)], false],
  ])('%s', (_name, components, isSame) => {
    expect(isOfThisHost(evaluation, components)).toBe(isSame);
  });

  test('has the evaluation that has run longest', () => {
    const other = issueEvaluation(emptyContent, changed(...host.map(({ kind }) => kind)));
    const [one, two] = [10, 20].map((ranMs) => ({
      ...issueEvaluation(emptyContent, host),
      history: { markMs: 0, ranMs, settledRanMs: 0 },
    }));
    const evaluations = [other, one, two].filter((each) => each !== undefined);
    const content = mergeContents(emptyContent, { ...emptyContent, evaluations });
    expect(findEvaluation(content, host)).toEqual(two);
    expect(findEvaluation({ ...content, evaluations: [other] }, host)).toBeUndefined();
  });

  test('is told from its records by salted hashes alone', () => {
    expect(evaluation.components).toHaveLength(6);
    const again = issueEvaluation({ ...emptyContent, evaluations: [evaluation] }, host);
    expect(again.order).toBe(2);
    const hashes = new Set([...evaluation.components, ...again.components].map(({ h }) => h));
    expect(hashes.size).toBe(12);
    expect([...hashes].every((hash) => /^[\w-]{11}$/.test(hash))).toBe(true);
  });
});
