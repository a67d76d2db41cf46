import { describe, expect, test } from 'vitest';
import {
  type ClockHistory,
  type ClockVerdict,
  DAY_MS,
  daysLeft,
  freshHistory,
  HOUR_MS,
  isServed,
  judgeClock,
} from '../../src/licensing/clock-policy.ts';

const builtMs = Date.UTC(2026, 10, 1);
const iatMs = Date.UTC(2027, 0, 1);
const term = { iatMs, expMs: iatMs + 30 * DAY_MS };
const in1970 = 5 * HOUR_MS;
const in2099 = Date.UTC(2099, 0, 1);

/** One trial, looked at again and again. */
function createTrial() {
  let history: ClockHistory = freshHistory;
  let ranMs = 0;
  function look(nowMs: number): ClockVerdict {
    const judged = judgeClock(term, history, { nowMs, ranMs, builtMs });
    history = judged.history;
    return judged.verdict;
  }
  return {
    look,
    /** Runs with a clock that goes on from `nowMs`, looked at every quarter of an hour. */
    run(nowMs: number, forMs: number): ClockVerdict {
      let verdict = look(nowMs);
      for (let done = 0; done < forMs; ) {
        const step = Math.min(HOUR_MS / 4, forMs - done);
        done += step;
        ranMs += step;
        verdict = look(nowMs + done);
      }
      return verdict;
    },
  };
}

const day = (days: number) => iatMs + days * DAY_MS;

describe('an honest clock', () => {
  test('serves to the end and warns before it', () => {
    const trial = createTrial();
    const states = new Map<string, number>();
    for (let days = 0; days < 31; days++) {
      const verdict = trial.run(day(days), DAY_MS - HOUR_MS);
      const name = verdict.state === 'EXPIRING' ? `EXPIRING ${verdict.warnDays}` : verdict.state;
      states.set(name, (states.get(name) ?? 0) + 1);
    }
    expect([...states]).toEqual([
      ['TRIAL', 16],
      ['EXPIRING 14', 7],
      ['EXPIRING 7', 4],
      ['EXPIRING 3', 2],
      ['EXPIRING 1', 1],
      ['EXPIRED', 1],
    ]);
  });

  test('counts days as people do', () => {
    const trial = createTrial();
    expect(daysLeft(trial.look(day(0)))).toBe(30);
    expect(daysLeft(trial.look(in1970))).toBe(30);
    expect(daysLeft(trial.run(day(0), 29 * DAY_MS + HOUR_MS))).toBe(1);
    expect(daysLeft(trial.look(day(30)))).toBe(0);
  });

  test('serves a licence that is installed a week after it was signed', () => {
    expect(createTrial().look(day(10)).state).toBe('TRIAL');
  });

  test('doubts a year ahead also soon after a late installation', () => {
    const trial = createTrial();
    expect(trial.run(day(10), HOUR_MS).state).toBe('TRIAL');
    expect(trial.run(day(365), HOUR_MS).state).toBe('CLOCK_SUSPECT');
    expect(trial.run(day(10), HOUR_MS).state).toBe('TRIAL');
  });

  test('refuses a licence that had ended before it was installed', () => {
    expect(createTrial().look(day(40))).toEqual({ state: 'EXPIRED', reason: 'date' });
  });

  test('may be some hours off, as with a hardware clock in local time', () => {
    const trial = createTrial();
    for (let days = 0; days < 29; days++) {
      expect(isServed(trial.run(day(days) + 14 * HOUR_MS, HOUR_MS / 4))).toBe(true);
      expect(isServed(trial.run(day(days) + HOUR_MS / 4, DAY_MS / 2))).toBe(true);
    }
  });

  test('ahead at the end, ends the trial only for as long', () => {
    const trial = createTrial();
    trial.run(day(0), 29 * DAY_MS);
    expect(trial.look(day(29) + 25 * HOUR_MS).state).toBe('EXPIRED');
    expect(trial.look(day(29) + HOUR_MS).state).toBe('EXPIRING');
  });

  test('that is set from 1970 serves all along', () => {
    const trial = createTrial();
    expect(trial.run(in1970, 3 * DAY_MS)).toMatchObject({
      state: 'CLOCK_SUSPECT',
      reason: 'implausible',
    });
    expect(trial.look(day(3)).state).toBe('TRIAL');
  });

  test('that stays in 1970 serves for the whole term', () => {
    const trial = createTrial();
    for (let days = 0; days < 31; days++) {
      expect(trial.run(in1970, DAY_MS - HOUR_MS).state).toBe('CLOCK_SUSPECT');
    }
    expect(trial.run(in1970, 2 * DAY_MS)).toEqual({ state: 'EXPIRED', reason: 'running-time' });
  });

  test('that shows an earlier year at each start serves once the licence has been valid', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    expect(trial.run(builtMs + DAY_MS, 3 * DAY_MS).state).toBe('CLOCK_SUSPECT');
    expect(trial.look(day(5)).state).toBe('TRIAL');
  });

  test('in 2099 for days leaves no trace', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    expect(trial.run(in2099, 3 * DAY_MS).state).toBe('CLOCK_SUSPECT');
    expect(trial.look(day(5)).state).toBe('TRIAL');
  });

  test('a year ahead for less than a day leaves no trace, before and after the first mark', () => {
    const trial = createTrial();
    expect(trial.look(day(365)).state).toBe('EXPIRED'); // nothing speaks against the clock yet
    expect(trial.run(day(0), DAY_MS).state).toBe('TRIAL');
    expect(trial.run(day(365), 23 * HOUR_MS)).toMatchObject({
      state: 'CLOCK_SUSPECT',
      reason: 'jump',
      settlesInMs: HOUR_MS,
    });
    expect(trial.look(day(2)).state).toBe('TRIAL');
  });

  test('three days ahead for some hours does not lock out for three days', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    expect(trial.run(day(4), 20 * HOUR_MS).state).toBe('TRIAL');
    expect(trial.look(day(2)).state).toBe('TRIAL');
  });

  test('after two weeks without power is believed within a day', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    expect(trial.run(day(15), 23 * HOUR_MS).state).toBe('CLOCK_SUSPECT');
    expect(trial.run(day(15) + 23 * HOUR_MS, HOUR_MS).state).toBe('EXPIRING');
  });
});

describe('a dishonest clock', () => {
  test('put back is refused, until it is put right', () => {
    const trial = createTrial();
    trial.run(day(0), 10 * DAY_MS);
    expect(trial.look(day(8))).toEqual({
      state: 'CLOCK_ROLLBACK',
      behindMs: 2 * DAY_MS,
      healsAtMs: day(9),
    });
    expect(trial.look(day(9)).state).toBe('TRIAL');
  });

  test('frozen serves the term and a day', () => {
    const trial = createTrial();
    for (let hours = 0; hours < 31 * 24; hours++) {
      expect(isServed(trial.run(day(3), HOUR_MS)), `hour ${hours}`).toBe(hours < 31 * 24 - 1);
    }
  });

  test('is never believed again after the end', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    trial.run(day(20), 2 * DAY_MS);
    trial.run(day(30), 2 * DAY_MS);
    for (const nowMs of [day(10), day(30) - 1, in1970, in2099]) {
      expect(trial.run(nowMs, HOUR_MS)).toEqual({ state: 'EXPIRED', reason: 'mark' });
    }
  });

  test('a year ahead is believed after a day, however it jumps meanwhile', () => {
    const trial = createTrial();
    trial.run(day(0), DAY_MS);
    for (let hour = 0; hour < 24; hour++) {
      expect(trial.run(day(300 + 50 * (hour % 3)), HOUR_MS - 1).state).toBe('CLOCK_SUSPECT');
      trial.run(in1970, HOUR_MS); // says nothing about the jump
    }
    expect(trial.run(day(365), HOUR_MS)).toEqual({ state: 'EXPIRED', reason: 'mark' });
    expect(trial.look(day(2))).toEqual({ state: 'EXPIRED', reason: 'mark' });
  });

  test('before the start is refused', () => {
    expect(createTrial().look(day(-3))).toEqual({ state: 'NOT_YET_VALID', startsAtMs: day(-1) });
  });
});
