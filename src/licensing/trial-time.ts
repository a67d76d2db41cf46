import {
  type ClockHistory,
  type ClockReading,
  type ClockRules,
  type ClockVerdict,
  clockRules,
  DAY_MS,
  freshHistory,
  judgeClock,
  SLACK_MS,
  type Term,
} from './clock-policy.ts';
import { judgeEvaluation } from './evaluation.ts';
import type { Evaluation, RecordContent } from './record-content.ts';
import type { Records } from './records.ts';

/** A server needs longer to start than this, so that even one that crashes at once is not hurt. */
const LEAST_CHARGE_MS = 500;
const MOST_CHARGE_MS = 60_000;
/** How often to look at the clock at least. */
const LOOK_INTERVAL_MS = 1000;

/** The host's clock and one that nobody sets, such as `performance.now()`. */
export interface Clocks {
  nowMs(): number;
  upMs(): number;
}

/** What is in use: a signed trial, or the evaluation that this host issued itself. */
export interface Trial {
  readonly lengthMs: number;
  /** What the records know of it. */
  recall(content: RecordContent): ClockHistory;
  /** The records' part about it, with another history. */
  record(content: RecordContent, history: ClockHistory): Partial<RecordContent>;
  judge(
    content: RecordContent,
    history: ClockHistory,
    reading: ClockReading,
    rules?: ClockRules,
  ): { readonly verdict: ClockVerdict; readonly learned: Partial<RecordContent> };
}

/** A trial as a vendor signed it. */
export function signedTrial(licenceId: string, term: Term): Trial {
  const record = (history: ClockHistory) => ({ trials: { [licenceId]: history } });
  return {
    lengthMs: term.expMs - term.iatMs,
    recall: ({ trials }) => trials[licenceId] ?? freshHistory,
    record: (_content, history) => record(history),
    judge(_content, before, reading, rules) {
      const { verdict, history } = judgeClock(term, before, reading, rules);
      return { verdict, learned: record(history) };
    },
  };
}

/** A trial of `days` that this host issued itself; its records hold it. */
export function selfIssuedTrial(evaluationId: string, days: number): Trial {
  function find({ evaluations }: RecordContent): Evaluation {
    const found = evaluations.find(({ id }) => id === evaluationId);
    if (found === undefined) {
      throw new Error('an evaluation is added to the records before its time is counted');
    }
    return found;
  }
  return {
    lengthMs: days * DAY_MS,
    recall: (content) => find(content).history,
    record: (content, history) => ({ evaluations: [{ ...find(content), history }] }),
    judge(content, history, reading, rules) {
      const known = { ...find(content), history };
      const { verdict, evaluation } = judgeEvaluation(known, days, reading, rules);
      return { verdict, learned: { evaluations: [evaluation] } };
    },
  };
}

/** The time of a trial that is in use by this process. */
export interface TrialTime {
  /**
   * Judges the clock as it is now, without waiting for anything; writes the records on the side
   * when the time that was charged is nearly used up.
   */
  look(): ClockVerdict;
  /** When to look again. */
  nextLookInMs(): number;
  /** Waits until what is being written is written. */
  saved(): Promise<void>;
}

export interface TrialRules extends ClockRules {
  chargeAheadMs(upMs: number, lengthMs: number): number;
}

export const trialRules: TrialRules = { ...clockRules, chargeAheadMs };

export interface TrialTimeOptions {
  readonly records: Records;
  readonly trial: Trial;
  readonly builtMs: number;
  readonly clocks: Clocks;
  /** Others than `trialRules`, to show what each is for. */
  readonly rules?: TrialRules;
}

/**
 * Counts a trial's running time. It is charged, that is written down, before it is used, so that
 * killing the process gains nothing; what was charged and not used is lost (`chargeAheadMs`).
 * Several processes may do so for one trial: each goes on from what was charged when it began, so
 * together they are charged the time in which any of them ran.
 */
export async function startTrialTime(options: TrialTimeOptions): Promise<TrialTime> {
  const { records, trial, builtMs, clocks, rules = trialRules } = options;
  const startedUpMs = clocks.upMs();
  const startedRanMs = trial.recall(records.content).ranMs;
  let ranMs = startedRanMs;
  /** At this running time more is charged, early enough to be written in time. */
  let chargeAtMs = ranMs;
  let isSaving = false;
  let saving = Promise.resolve();

  function charge(): void {
    const aheadMs = rules.chargeAheadMs(ranMs - startedRanMs, trial.lengthMs);
    chargeAtMs = ranMs + (aheadMs * 3) / 4;
    const history = { ...trial.recall(records.content), ranMs: ranMs + aheadMs };
    records.add(trial.record(records.content, history));
    isSaving = true;
    saving = records.save().finally(() => {
      isSaving = false;
    });
  }

  const trialTime: TrialTime = {
    look() {
      const { content } = records;
      // What others charged for the same trial is not what ran here since the last look.
      const history = { ...trial.recall(content), ranMs };
      ranMs = startedRanMs + clocks.upMs() - startedUpMs;
      const reading = { nowMs: clocks.nowMs(), ranMs, builtMs };
      const { verdict, learned } = trial.judge(content, history, reading, rules);
      records.add(learned);
      if (ranMs >= chargeAtMs && !isSaving) {
        charge();
      }
      return verdict;
    },
    nextLookInMs: () =>
      Math.min(LOOK_INTERVAL_MS, Math.max(LEAST_CHARGE_MS / 4, chargeAtMs - ranMs)),
    saved: () => saving,
  };
  trialTime.look();
  await trialTime.saved();
  return trialTime;
}

/**
 * How much running time to charge ahead in a process that has run for `upMs`: so little that, even
 * if every process is killed right after charging, all that is lost is half the slack of the
 * trial's budget. The other half is left for clocks that run differently.
 */
export function chargeAheadMs(upMs: number, lengthMs: number): number {
  const part = Math.min(1, SLACK_MS / 2 / lengthMs);
  return Math.min(MOST_CHARGE_MS, Math.max(LEAST_CHARGE_MS, upMs * part));
}
