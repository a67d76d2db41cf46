import {
  awaitStart,
  type ClockRules,
  clockRules,
  doubtFarJump,
  endByDate,
  endForGood,
  followClock,
  holdJump,
  ignoreImplausible,
  leaveUnbegun,
  type MarkRule,
  refuseRollback,
  runOnWithoutClock,
  SLACK_MS,
  spendRunningTime,
  TOLERANCE_MS,
  type VerdictRule,
} from '../../src/licensing/clock-policy.ts';
import { type TrialRules, trialRules } from '../../src/licensing/trial-time.ts';
import { type KindName, type Policy, wholePolicy } from './history.ts';

function withRules(rules: Partial<ClockRules>): Policy {
  return { ...wholePolicy, rules: { ...trialRules, ...rules } };
}

function withCharge(chargeAheadMs: TrialRules['chargeAheadMs']): Policy {
  return { ...wholePolicy, rules: { ...trialRules, chargeAheadMs } };
}

function withoutVerdict(removed: VerdictRule): Policy {
  return withRules({ verdicts: clockRules.verdicts.filter((rule) => rule !== removed) });
}

function withoutMark(removed: MarkRule): Policy {
  return withRules({ marks: clockRules.marks.filter((rule) => rule !== removed) });
}

function withOther<Rule extends VerdictRule | MarkRule>(rule: Rule, other: Rule) {
  const replace = (each: VerdictRule | MarkRule) => (each === rule ? other : each);
  return withRules({
    verdicts: clockRules.verdicts.map((each) => replace(each) as VerdictRule),
    marks: clockRules.marks.map((each) => replace(each) as MarkRule),
  });
}

export interface Removal {
  readonly policy: Policy;
  /** Kinds of history that show what is missing. */
  readonly caughtBy: readonly KindName[];
}

/** The policy with one thing removed, by what it then lacks. */
export const removals = {
  'a budget of running time': {
    policy: withoutVerdict(spendRunningTime),
    caughtBy: [
      'the clock put back while the server runs, less than a day at a time',
      'a clock in 1970, on purpose',
      'the clock stopped',
    ],
  },
  'slack in that budget': {
    policy: withOther(spendRunningTime, (facts) =>
      spendRunningTime({ ...facts, budgetMs: facts.budgetMs - SLACK_MS }),
    ),
    caughtBy: ['crashes in a loop', 'two servers and short commands at once'],
  },
  'an end for good': {
    policy: withoutVerdict(endForGood),
    caughtBy: [
      'the end awaited, and then every other clock',
      'long after the end, one jump provoked after the other',
    ],
  },
  'running on without a clock': {
    policy: withoutVerdict(runOnWithoutClock),
    caughtBy: [
      'a dead battery: 1970 at each start, and no later time',
      'a dead battery: 1970 at each start, and the time some time later',
      'a firmware that starts at its own date, long before this release',
      'one boot in 2099, for as long as it takes',
    ],
  },
  'refusing a rollback': {
    policy: withoutVerdict(refuseRollback),
    caughtBy: [
      'the clock put back at each start',
      'the clock forward and back',
      'two servers that are killed in turn, with a frozen clock',
    ],
  },
  'a tolerance for clocks that go back': {
    policy: withOther(refuseRollback, (facts) =>
      refuseRollback({ ...facts, nowMs: facts.nowMs - TOLERANCE_MS }),
    ),
    caughtBy: [
      'a clock that drifts and is corrected, with leap seconds',
      'a hardware clock in local time, corrected after each start, with daylight saving',
      'moves between time zones, the hardware clock in local time',
    ],
  },
  'awaiting the start': {
    policy: withoutVerdict(awaitStart),
    caughtBy: ['a licence used before it begins', 'anything at all'],
  },
  'doubting a far jump': {
    policy: withoutVerdict(doubtFarJump),
    caughtBy: ['one boot days or years ahead, for less than a day'],
  },
  'an end by date': {
    policy: withoutVerdict(endByDate),
    caughtBy: [
      'office hours, with weekends',
      'a machine that is suspended again and again',
      'power off for days and weeks',
    ],
  },
  'a mark that an implausible clock leaves alone': {
    policy: withoutMark(ignoreImplausible),
    caughtBy: ['one boot in 2099, for as long as it takes'],
  },
  'no mark before the start': {
    policy: withoutMark(leaveUnbegun),
    caughtBy: ['a licence used before it begins'],
  },
  'a mark that a jump does not move': {
    policy: withoutMark(holdJump),
    caughtBy: ['one boot days or years ahead, for less than a day'],
  },
  'a mark that follows the clock': {
    policy: withoutMark(followClock),
    caughtBy: ['the end awaited, and then every other clock', 'the clock stopped'],
  },
  'believing a jump that has stayed': {
    policy: withOther(holdJump, (facts) => holdJump({ ...facts, jumpedRanMs: 0 })),
    caughtBy: ['long after the end, one jump provoked after the other'],
  },
  'charging ahead': {
    policy: withCharge(() => 0),
    caughtBy: ['the server killed before it writes'],
  },
  'charging little ahead': {
    policy: withCharge((upMs) => Math.max(60_000, upMs)),
    caughtBy: ['crashes in a loop', 'a disk that is full for a time'],
  },
  'a second copy': {
    policy: { ...wholePolicy, places: 1 },
    caughtBy: [
      'one copy of the records restored, damaged or lost, now and then',
      'one copy of the records put back before each start',
    ],
  },
  'days that are open at first': {
    policy: { ...wholePolicy, settlesDays: false },
    caughtBy: ['a clock that is set right after the first hours'],
  },
} as const satisfies Record<string, Removal>;
