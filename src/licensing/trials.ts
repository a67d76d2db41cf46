import type { HostFacts } from '../hardware/components.ts';
import type { ClockVerdict, Term } from './clock-policy.ts';
import { describeClock } from './describe-clock.ts';
import { findEvaluation, findTerm, issueEvaluation, judgeEvaluation } from './evaluation.ts';
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
  /** Told what went wrong while time was counted; it is counted again at the next `use`. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Hosts that records may hold evaluations of, where their folder goes from host to host: far more
 * than honest ones, few enough for the size of a record.
 */
const MAX_EVALUATIONS = 64;

/** The trials of this host: what their clocks say, and the running time of those in use. */
export interface Trials {
  judgeSigned(licenseId: string, term: Term): ClockVerdict;
  /** Whether this host has begun its evaluation. */
  hasEvaluation(components: HostFacts['components']): boolean;
  /**
   * The evaluation of this host. Where there is none yet it is told as if it began now, and
   * proposed; where none can begin, that is told.
   */
  judgeEvaluation(days: number, components: HostFacts['components']): LicenseVerdict;
  /** Begins what was proposed since, if records of it last. False: there is nothing new. */
  beginProposed(): Promise<boolean>;
  /**
   * Counts the running time of these trials from now on, and of no others. Resolves when what is
   * charged first for those that were not counted before is written, or could not be; never fails.
   */
  use(ids: ReadonlySet<string>): Promise<void>;
  /** Waits until what is being written is written. */
  saved(): Promise<void>;
}

/** Counts nothing until `use` is called: what only looks, such as a command, spends no time. */
export function createTrials({ records, builtMs, clocks, onFailure }: TrialsOptions): Trials {
  const known = new Map<string, Trial>();
  const counting = new Map<string, TrialTime | undefined>();
  /** The host whose evaluation is to begin. */
  let proposed: HostFacts['components'] | undefined;
  /** Whether no place took the one that was to begin. */
  let isUnwritable = false;
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
    try {
      const time = await startTrialTime({ records, trial, builtMs, clocks });
      if (counting.has(id)) {
        counting.set(id, time);
        keepCharged(id, time);
      }
    } catch (error) {
      counting.delete(id);
      onFailure(error);
    }
  }

  /** Time is charged before it is used, at first more often than anybody looks. */
  function keepCharged(id: string, time: TrialTime): void {
    const goOn = () => {
      if (counting.get(id) !== time) return;
      try {
        time.look();
        keepCharged(id, time);
      } catch (error) {
        counting.delete(id);
        onFailure(error);
      }
    };
    setTimeout(goOn, time.nextLookInMs()).unref();
  }

  function propose(days: number, components: HostFacts['components']): LicenseVerdict {
    const hosts = records.content.evaluations.length;
    if (hosts >= MAX_EVALUATIONS) {
      return refuseEvaluation(`these records hold evaluations of ${hosts} hosts`);
    }
    proposed = components;
    if (isUnwritable) {
      const reasons = records.problems.map(({ path, detail }) => `${path}: ${detail}`);
      return refuseEvaluation(`no record of it could be written (${reasons.join('; ')})`);
    }
    const issued = issueEvaluation(records.content, components);
    const reading = readClock(0);
    const { verdict } = judgeEvaluation(issued, days, reading);
    return tellEvaluation(verdict, findTerm(issued, days, reading));
  }

  return {
    judgeSigned: (licenseId, term) => judge(licenseId, signedTrial(licenseId, term)),
    hasEvaluation: (components) => findEvaluation(records.content, components) !== undefined,
    judgeEvaluation(days, components) {
      const evaluation = findEvaluation(records.content, components);
      if (evaluation === undefined) {
        return propose(days, components);
      }
      const { id: licenseId, history } = evaluation;
      const verdict = judge(licenseId, selfIssuedTrial(licenseId, days));
      const term = findTerm(evaluation, days, readClock(history.ranMs));
      return { ...tellEvaluation(verdict, term), licenseId };
    },
    async beginProposed() {
      const components = proposed;
      if (components === undefined) {
        return false;
      }
      await records.addLasting((content) =>
        findEvaluation(content, components) === undefined &&
        content.evaluations.length < MAX_EVALUATIONS
          ? { evaluations: [issueEvaluation(content, components)] }
          : undefined,
      );
      proposed = undefined;
      isUnwritable = findEvaluation(records.content, components) === undefined;
      return true;
    },
    async use(ids) {
      for (const [id, time] of counting) {
        if (!ids.has(id)) {
          counting.delete(id);
          settling = Promise.all([settling, time?.saved()]);
        }
      }
      const begun: Promise<void>[] = [];
      for (const id of ids) {
        const trial = known.get(id);
        if (trial !== undefined && !counting.has(id)) {
          counting.set(id, undefined);
          begun.push(count(id, trial));
        }
      }
      settling = Promise.all([settling, ...begun]);
      await Promise.all(begun);
    },
    async saved() {
      await settling;
      await Promise.all([...counting.values()].flatMap((time) => time?.saved() ?? []));
    },
  };
}

function refuseEvaluation(reason: string): LicenseVerdict {
  return {
    state: 'NOT_FOUND',
    detail: `the evaluation cannot begin: ${reason}`,
    kind: 'evaluation',
  };
}

function tellEvaluation(verdict: ClockVerdict, term: Term): LicenseVerdict {
  const { detail, ...clock } = describeClock(verdict, term);
  return { ...clock, detail: `evaluation: ${detail}`, kind: 'evaluation' };
}
