import {
  type ClockVerdict,
  DAY_MS,
  daysLeft,
  HOUR_MS,
  SLACK_MS,
  type Term,
} from './clock-policy.ts';
import type { LicenseVerdict } from './verdict.ts';

/** A clock's verdict as the licence's state, with the reason in words. */
export function describeClock(
  verdict: ClockVerdict,
  term: Term,
): Pick<LicenseVerdict, 'state' | 'detail' | 'leftMs' | 'warnDays'> {
  const { state } = verdict;
  const detail = explain(verdict, term);
  return {
    state,
    detail,
    ...('leftMs' in verdict ? { leftMs: verdict.leftMs } : {}),
    ...('warnDays' in verdict ? { warnDays: verdict.warnDays } : {}),
  };
}

function explain(verdict: ClockVerdict, { iatMs, expMs }: Term): string {
  switch (verdict.state) {
    case 'TRIAL':
    case 'EXPIRING':
      return `the trial ends on ${day(expMs)}, ${count(daysLeft(verdict), 'day')} left`;
    case 'CLOCK_SUSPECT': {
      const left = `until it is set the trial counts running time, ${count(daysLeft(verdict), 'day')} left`;
      return verdict.reason === 'implausible'
        ? `the clock of this host cannot be right; ${left}`
        : `the clock jumped forward by ${days(verdict.jumpMs)} and is believed after ${hours(verdict.settlesInMs)} more of running; ${left}`;
    }
    case 'EXPIRED':
      return {
        date: `the trial ended on ${day(expMs)}`,
        mark: `the trial ended on ${day(expMs)}, and no clock that is set back brings it back`,
        'running-time': `the trial has been running for the ${days(expMs - iatMs + SLACK_MS)} that it may`,
      }[verdict.reason];
    case 'CLOCK_ROLLBACK':
      return `the clock of this host is ${days(verdict.behindMs)} behind a time seen here before; at ${new Date(verdict.healsAtMs).toISOString()} the trial goes on by itself`;
    case 'NOT_YET_VALID':
      return `the trial begins on ${day(verdict.startsAtMs)}`;
  }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function days(ms: number): string {
  return ms < 2 * DAY_MS ? hours(ms) : count(Math.round(ms / DAY_MS), 'day');
}

function hours(ms: number): string {
  return count(Math.max(1, Math.round(ms / HOUR_MS)), 'hour');
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}
