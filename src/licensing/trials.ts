import type { HostFacts } from '../hardware/components.ts';
import type { ClockVerdict, Term } from './clock-policy.ts';
import { describeClock } from './describe-clock.ts';
import { findEvaluation, findTerm, issueEvaluation } from './evaluation.ts';
import type { Evaluation } from './record-content.ts';
import type { Records } from './records.ts';
import {
  type Clocks,
  selfIssuedTrial,
  signedTrial,
  startTrialTime,
  type Trial,
  type TrialTime,
} from './trial-time.ts';
import type { LicenseVerdict } from './verdict.ts';

export interface TrialsOptions {
  readonly records: Records;
  readonly builtMs: number;
  readonly clocks: Clocks;
}

/** The trials of this host: what their clocks say, and the running time of those in use. */
export interface Trials {
  judgeSigned(licenseId: string, term: Term): ClockVerdict;
  /** Whether this host has begun its evaluation. */
  hasEvaluation(components: HostFacts['components']): boolean;
  /** The evaluation of this host; begun where there is none yet. */
  judgeEvaluation(days: number, components: HostFacts['components']): LicenseVerdict;
  /** Counts the running time of these trials from now on, and of no others. */
  use(ids: ReadonlySet<string>): void;
  /** Waits until what is being written is written. */
  saved(): Promise<void>;
}

/** Counts nothing until `use` is called: what only looks, such as a command, spends no time. */
export function createTrials({ records, builtMs, clocks }: TrialsOptions): Trials {
  const known = new Map<string, Trial>();
  const counting = new Map<string, TrialTime | undefined>();
  /** Trials that begin or end to be counted. */
  let settling: Promise<unknown> = Promise.resolve();

  function judge(id: string, trial: Trial): ClockVerdict {
    known.set(id, trial);
    const time = counting.get(id);
    if (time !== undefined) {
      return time.look();
    }
    const history = trial.recall(records.content);
    return trial.judge(records.content, history, readClock(history.ranMs)).verdict;
  }

  function readClock(ranMs: number) {
    return { nowMs: clocks.nowMs(), ranMs, builtMs };
  }

  async function count(id: string, trial: Trial): Promise<void> {
    const time = await startTrialTime({ records, trial, builtMs, clocks });
    if (counting.has(id)) {
      counting.set(id, time);
      keepCharged(id, time);
    }
  }

  /** Time is charged before it is used, at first more often than anybody looks. */
  function keepCharged(id: string, time: TrialTime): void {
    const goOn = () => {
      if (counting.get(id) === time) {
        time.look();
        keepCharged(id, time);
      }
    };
    setTimeout(goOn, time.nextLookInMs()).unref();
  }

  /** Several first starts at once may each have issued one: the records say which counts. */
  function findOrIssue(components: HostFacts['components']): Evaluation {
    const found = findEvaluation(records.content, components);
    if (found !== undefined) {
      return found;
    }
    const issued = issueEvaluation(records.content, components);
    records.add({ evaluations: [issued] });
    return issued;
  }

  return {
    judgeSigned: (licenseId, term) => judge(licenseId, signedTrial(licenseId, term)),
    hasEvaluation: (components) => findEvaluation(records.content, components) !== undefined,
    judgeEvaluation(days, components) {
      const evaluation = findOrIssue(components);
      const { id: licenseId, history } = evaluation;
      const verdict = judge(licenseId, selfIssuedTrial(licenseId, days));
      const term = findTerm(evaluation, days, readClock(history.ranMs));
      const { detail, ...clock } = describeClock(verdict, term);
      return { ...clock, detail: `evaluation: ${detail}`, kind: 'evaluation', licenseId };
    },
    use(ids) {
      for (const [id, time] of counting) {
        if (!ids.has(id)) {
          counting.delete(id);
          settling = Promise.all([settling, time?.saved()]);
        }
      }
      for (const id of ids) {
        const trial = known.get(id);
        if (trial !== undefined && !counting.has(id)) {
          counting.set(id, undefined);
          settling = Promise.all([settling, count(id, trial)]);
        }
      }
    },
    async saved() {
      await settling;
      await Promise.all([...counting.values()].flatMap((time) => time?.saved() ?? []));
    },
  };
}
