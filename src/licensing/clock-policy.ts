/**
 * What a trial's clock is worth, as a pure function of the licence's term, what was seen before and
 * what is read now. A permanent licence never comes here.
 *
 * Two limits hold at once. The calendar: a trial ends at `expMs` by the host's own clock, defended
 * by the highest believed reading so far (the mark). The running time: no more of it than the term
 * and a day, whatever the clock says; so putting the clock back, stopping it or sending it to and
 * fro gains nothing. The calendar may therefore be lenient wherever an honest clock can look wrong.
 */

import { licenseStates } from './states.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** How far a clock may go back, or forward beyond what was run, without being asked why. */
export const TOLERANCE_MS = 24 * HOUR_MS;
/** Running time beyond the term, for what is charged ahead and for clocks that differ. */
export const SLACK_MS = 24 * HOUR_MS;
/** A jump is believed once the clock has stayed there for so much running time. */
export const SETTLING_MS = 24 * HOUR_MS;
/** A jump further than this is not even believed when it says that the trial is over. */
export const FAR_JUMP_MS = 7 * DAY_MS;
/** A reading so long after the release and the licence's end is a broken clock's. */
const FAR_FUTURE_MS = 3653 * DAY_MS;

/** Days before the end at which to warn again. */
const WARNING_DAYS = [1, 3, 7, 14, 30] as const;

/** When a trial begins and ends, in milliseconds of the epoch. */
export interface Term {
  readonly iatMs: number;
  readonly expMs: number;
}

/**
 * What is remembered of a trial. Each number only grows, so two memories are merged by taking the
 * larger of each (`mergeHistories`), and an older one never takes anything back.
 */
export interface ClockHistory {
  /** The mark: the highest believed reading of the clock. 0: none yet. */
  readonly markMs: number;
  /** Running time altogether, of any process that had this licence in use. */
  readonly ranMs: number;
  /** Running time without that since the present forward jump of the clock. */
  readonly settledRanMs: number;
}

export const freshHistory: ClockHistory = { markMs: 0, ranMs: 0, settledRanMs: 0 };

export interface ClockReading {
  /** The host's clock. */
  readonly nowMs: number;
  /** The trial's running time up to now, by a clock that nobody sets. */
  readonly ranMs: number;
  /** When this release was built: no honest clock shows an earlier time. */
  readonly builtMs: number;
}

/**
 * A verdict, with its reason as data. `leftMs` is what remains: of the calendar for TRIAL and
 * EXPIRING, of the running time for CLOCK_SUSPECT.
 */
export type ClockVerdict =
  | { readonly state: 'TRIAL'; readonly leftMs: number }
  /** `warnDays`: the smallest of 30, 14, 7, 3 and 1 days that has begun. */
  | { readonly state: 'EXPIRING'; readonly leftMs: number; readonly warnDays: number }
  | { readonly state: 'CLOCK_SUSPECT'; readonly reason: 'implausible'; readonly leftMs: number }
  | {
      readonly state: 'CLOCK_SUSPECT';
      readonly reason: 'jump';
      readonly leftMs: number;
      readonly jumpMs: number;
      /** Running time until the clock is believed. */
      readonly settlesInMs: number;
    }
  /** `date`: the clock says so, and may be mended. `mark`, `running-time`: for good. */
  | { readonly state: 'EXPIRED'; readonly reason: 'date' | 'mark' | 'running-time' }
  /** Served again as soon as the clock shows `healsAtMs`. */
  | { readonly state: 'CLOCK_ROLLBACK'; readonly behindMs: number; readonly healsAtMs: number }
  | { readonly state: 'NOT_YET_VALID'; readonly startsAtMs: number };

/** Whether requests are answered in this state. */
export function isServed({ state }: ClockVerdict): boolean {
  return licenseStates[state].class !== 'refused';
}

/** Days left as people count them: 1 on the last day, 0 after it. */
export function daysLeft(verdict: ClockVerdict): number {
  return 'leftMs' in verdict ? Math.max(0, Math.ceil(verdict.leftMs / DAY_MS)) : 0;
}

/** What the rules judge. */
interface ClockFacts {
  readonly term: Term;
  readonly history: ClockHistory;
  readonly nowMs: number;
  readonly ranMs: number;
  readonly budgetMs: number;
  /** The clock can be right at all. */
  readonly isPlausible: boolean;
  /** How far the clock is ahead of where the mark and the running time put it at most. */
  readonly jumpMs: number;
  /** Running time since the clock jumped. */
  readonly jumpedRanMs: number;
}

/** A verdict, or nothing where the rule has nothing against the trial. */
export type VerdictRule = (facts: ClockFacts) => ClockVerdict | undefined;

/** Where mark and settled running time are after this reading; nothing: the next rule says. */
export type MarkRule = (
  facts: ClockFacts,
) => Pick<ClockHistory, 'markMs' | 'settledRanMs'> | undefined;

/** Rules in order; of each list the first that answers decides. */
export interface ClockRules {
  readonly verdicts: readonly VerdictRule[];
  readonly marks: readonly MarkRule[];
}

/** The limit that no clock can move. */
export const spendRunningTime: VerdictRule = ({ ranMs, budgetMs }) =>
  ranMs >= budgetMs ? { state: 'EXPIRED', reason: 'running-time' } : undefined;

/** Once the end has passed for certain, no clock brings the trial back, not even one in 1970. */
export const endForGood: VerdictRule = ({ term, history }) =>
  history.markMs - TOLERANCE_MS >= term.expMs ? { state: 'EXPIRED', reason: 'mark' } : undefined;

/** A dead battery is nobody's fault: the running time alone counts then. */
export const runOnWithoutClock: VerdictRule = (facts) =>
  facts.isPlausible
    ? undefined
    : { state: 'CLOCK_SUSPECT', reason: 'implausible', leftMs: termLeft(facts) };

/** Refuses a clock that was put back, until it is put right or has caught up. */
export const refuseRollback: VerdictRule = ({ history, nowMs }) => {
  const healsAtMs = history.markMs - TOLERANCE_MS;
  return nowMs < healsAtMs
    ? { state: 'CLOCK_ROLLBACK', behindMs: history.markMs - nowMs, healsAtMs }
    : undefined;
};

export const awaitStart: VerdictRule = ({ term, nowMs }) => {
  const startsAtMs = term.iatMs - TOLERANCE_MS;
  return nowMs < startsAtMs ? { state: 'NOT_YET_VALID', startsAtMs } : undefined;
};

/**
 * One boot in a wrong year does not end a trial that has been running. A first look far into the
 * term, as at a licence that was installed late, is no jump.
 */
export const doubtFarJump: VerdictRule = (facts) => {
  const { term, history, nowMs, jumpMs, jumpedRanMs } = facts;
  const hasBegun = history.markMs > term.iatMs || (history.markMs > 0 && nowMs >= term.expMs);
  return hasBegun && jumpMs > FAR_JUMP_MS && jumpedRanMs < SETTLING_MS
    ? {
        state: 'CLOCK_SUSPECT',
        reason: 'jump',
        leftMs: termLeft(facts),
        jumpMs,
        settlesInMs: SETTLING_MS - jumpedRanMs,
      }
    : undefined;
};

export const endByDate: VerdictRule = ({ term, nowMs }) =>
  nowMs >= term.expMs ? { state: 'EXPIRED', reason: 'date' } : undefined;

/** A clock that cannot be right says nothing about the calendar, nor about a jump before it. */
export const ignoreImplausible: MarkRule = ({ isPlausible, history, ranMs }) =>
  isPlausible
    ? undefined
    : {
        markMs: history.markMs,
        settledRanMs: history.settledRanMs + Math.max(0, ranMs - history.ranMs),
      };

/** A licence that has not begun leaves no mark. */
export const leaveUnbegun: MarkRule = ({ term, history, nowMs, ranMs }) =>
  nowMs < term.iatMs - TOLERANCE_MS ? { markMs: history.markMs, settledRanMs: ranMs } : undefined;

/**
 * A jump moves the mark only once it has stayed; when the clock comes back it leaves no trace. The
 * first reading within the term puts the mark to its beginning, of which the licence is witness.
 */
export const holdJump: MarkRule = ({ term, history, nowMs, jumpMs, jumpedRanMs }) =>
  jumpMs > TOLERANCE_MS && jumpedRanMs < SETTLING_MS
    ? {
        markMs: history.markMs === 0 && nowMs < term.expMs ? term.iatMs : history.markMs,
        settledRanMs: history.settledRanMs,
      }
    : undefined;

export const followClock: MarkRule = ({ term, history, nowMs, ranMs }) => ({
  markMs: Math.max(history.markMs, nowMs, term.iatMs),
  settledRanMs: ranMs,
});

export const clockRules: ClockRules = {
  verdicts: [
    spendRunningTime,
    endForGood,
    runOnWithoutClock,
    refuseRollback,
    awaitStart,
    doubtFarJump,
    endByDate,
  ],
  marks: [ignoreImplausible, leaveUnbegun, holdJump, followClock],
};

export interface Judgement {
  readonly verdict: ClockVerdict;
  /** What to remember from now on. */
  readonly history: ClockHistory;
}

/**
 * Judges one reading of the clock. To be called every few seconds while a trial is in use, and
 * whenever the clock may have been set: a jump is timed from the first look at it.
 */
export function judgeClock(
  term: Term,
  before: ClockHistory,
  reading: ClockReading,
  rules: ClockRules = clockRules,
): Judgement {
  const facts = establishFacts(term, before, reading);
  const mark = firstAnswer(rules.marks, facts) ?? before;
  const history = {
    markMs: mark.markMs,
    ranMs: Math.max(before.ranMs, facts.ranMs),
    settledRanMs: mark.settledRanMs,
  };
  // A jump that has stayed moves the mark, which may end the trial with this very reading.
  const judged = { ...facts, history };
  const verdict = firstAnswer(rules.verdicts, judged) ?? withinTerm(judged);
  return { verdict, history };
}

/** What two memories of the same trial know together: the order and repetitions do not matter. */
export function mergeHistories(a: ClockHistory, b: ClockHistory): ClockHistory {
  return {
    markMs: Math.max(a.markMs, b.markMs),
    ranMs: Math.max(a.ranMs, b.ranMs),
    settledRanMs: Math.max(a.settledRanMs, b.settledRanMs),
  };
}

/** Whether a clock can be right: not before this release was built, nor ages after `latestMs`. */
export function isPlausible(nowMs: number, builtMs: number, latestMs = builtMs): boolean {
  return nowMs >= builtMs && nowMs < Math.max(builtMs, latestMs) + FAR_FUTURE_MS;
}

function establishFacts(term: Term, history: ClockHistory, reading: ClockReading): ClockFacts {
  const { nowMs, ranMs, builtMs } = reading;
  const hasMark = history.markMs > 0;
  // Another process may have settled a little more than this one has run.
  const jumpedRanMs = Math.max(0, ranMs - history.settledRanMs);
  return {
    term,
    history,
    nowMs,
    ranMs,
    budgetMs: term.expMs - term.iatMs + SLACK_MS,
    // A licence that has been valid was issued: the clock cannot be right before that.
    isPlausible:
      isPlausible(nowMs, builtMs, term.expMs) && !(hasMark && nowMs < term.iatMs - TOLERANCE_MS),
    jumpMs: nowMs - (hasMark ? history.markMs : term.iatMs) - jumpedRanMs,
    jumpedRanMs,
  };
}

/** What is left of the term when only running time counts. */
function termLeft({ term, ranMs }: ClockFacts): number {
  return Math.max(0, term.expMs - term.iatMs - ranMs);
}

function withinTerm({ term, nowMs, ranMs, budgetMs }: ClockFacts): ClockVerdict {
  const leftMs = Math.min(term.expMs - nowMs, budgetMs - ranMs);
  const half = (term.expMs - term.iatMs) / 2;
  const warnDays = WARNING_DAYS.find((days) => leftMs <= days * DAY_MS);
  // A trial of 30 days does not begin with the warning that 30 days are left.
  return warnDays === undefined || warnDays * DAY_MS > half
    ? { state: 'TRIAL', leftMs }
    : { state: 'EXPIRING', leftMs, warnDays };
}

function firstAnswer<T>(
  rules: readonly ((facts: ClockFacts) => T | undefined)[],
  facts: ClockFacts,
): T | undefined {
  for (const rule of rules) {
    const answer = rule(facts);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
