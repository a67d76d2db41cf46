import { randomBytes } from 'node:crypto';
import type { Component, ComponentKind } from '../hardware/components.ts';
import {
  type ClockReading,
  type ClockRules,
  type ClockVerdict,
  DAY_MS,
  HOUR_MS,
  isPlausible,
  judgeClock,
  SETTLING_MS,
  type Term,
  TOLERANCE_MS,
} from './clock-policy.ts';
import { saltDigest } from './match.ts';
import type { Evaluation, RecordContent } from './record-content.ts';

const SALT_BYTES = 16;
/** Time enough for a host to find its time server. */
const FREE_DATING_MS = HOUR_MS;
/** Smaller corrections of the date are not worth writing. */
const DATING_PRECISION_MS = 60_000;

/**
 * Issues a trial to this host. It is bound to whatever can be recognised, in a container or a
 * virtual machine too, so that records carried to another host start a new one there.
 */
export function issueEvaluation(
  { evaluations }: RecordContent,
  components: readonly Component[],
): Evaluation {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  return {
    id: randomBytes(SALT_BYTES).toString('base64url'),
    order: Math.max(0, ...evaluations.map(({ order }) => order)) + 1,
    salt,
    components: components.map(({ kind, digest }) => ({
      k: kind,
      h: saltDigest(salt, kind, digest),
    })),
    beganMs: 0,
    datings: 0,
    history: { markMs: 0, ranMs: 0, settledRanMs: 0 },
  };
}

/**
 * The evaluation of this host, if the records hold one: of several, as two first starts at once
 * leave them, the one that has run longest.
 */
export function findEvaluation(
  { evaluations }: RecordContent,
  components: readonly Component[],
): Evaluation | undefined {
  return evaluations
    .filter((evaluation) => isOfThisHost(evaluation, components))
    .reduce<Evaluation | undefined>(
      (most, each) => (most && most.history.ranMs >= each.history.ranMs ? most : each),
      undefined,
    );
}

/** What is in the hardware itself: two hosts have none of it in common. */
const hardwareKinds: ReadonlySet<string> = new Set<ComponentKind>([
  'product-uuid',
  'board-serial',
  'product-serial',
  'root-disk',
  'network-card',
]);

/**
 * Whether any hardware that was recognised at issue is still there, or half of the kinds that can be
 * compared: of a kind with several (network cards) any one. A model of processor tells no hosts apart.
 * Kinds that cannot be read now, perhaps for want of root, or because something is mounted over
 * them, are not asked; where nothing can be compared the records count as this host's.
 */
export function isOfThisHost(
  { salt, components: sealed }: Evaluation,
  components: readonly Component[],
): boolean {
  const present = new Set<string>(components.map(({ kind }) => kind));
  const hashes = new Set(components.map(({ kind, digest }) => saltDigest(salt, kind, digest)));
  const asked = sealed.filter(({ k }) => k !== 'cpu-model' && present.has(k));
  const matching = asked.filter(({ h }) => hashes.has(h));
  return (
    matching.some(({ k }) => hardwareKinds.has(k)) || countKinds(matching) * 2 >= countKinds(asked)
  );
}

function countKinds(components: Evaluation['components']): number {
  return new Set(components.map(({ k }) => k)).size;
}

/**
 * Judges one reading of the clock. The days count from when the evaluation began to run. Nobody
 * vouches for that date, so a clock that is set in the first hour of running takes it along, and in
 * the first day it is corrected when the clock contradicts it: when it shows an earlier time, or
 * one at which all would be over. So an evaluation issued in 1970, in 2099 or with a clock months
 * behind gets its days. Until the first day has been run there is no mark, so the calendar is open;
 * the running time counts from the first second.
 */
export function judgeEvaluation(
  before: Evaluation,
  days: number,
  reading: ClockReading,
  rules?: ClockRules,
): { readonly verdict: ClockVerdict; readonly evaluation: Evaluation } {
  const evaluation = dateEvaluation(before, days * DAY_MS, reading);
  const term = termOf(evaluation, days, reading);
  const { verdict, history } = judgeClock(term, evaluation.history, reading, rules);
  const isOpen = evaluation.beganMs === 0 || reading.ranMs < SETTLING_MS;
  return {
    verdict,
    evaluation: { ...evaluation, history: isOpen ? { ...history, markMs: 0 } : history },
  };
}

/** When the evaluation begins and ends, as far as this reading of the clock can tell. */
export function findTerm(evaluation: Evaluation, days: number, reading: ClockReading): Term {
  return termOf(dateEvaluation(evaluation, days * DAY_MS, reading), days, reading);
}

/** Before there is a date the clock cannot be right, and any term of this length serves. */
function termOf({ beganMs }: Evaluation, days: number, { builtMs }: ClockReading): Term {
  const iatMs = beganMs || builtMs;
  return { iatMs, expMs: iatMs + days * DAY_MS };
}

/** Dates an evaluation whose date is still open, where the clock can be right. */
function dateEvaluation(
  evaluation: Evaluation,
  lengthMs: number,
  { nowMs, ranMs, builtMs }: ClockReading,
): Evaluation {
  const { beganMs, datings, history } = evaluation;
  const isOpen = history.markMs === 0 && isPlausible(nowMs, builtMs, beganMs + lengthMs);
  if (!isOpen) return evaluation;
  const startMs = nowMs - ranMs;
  const isWrong =
    ranMs < FREE_DATING_MS
      ? Math.abs(startMs - beganMs) > DATING_PRECISION_MS
      : beganMs === 0 || startMs < beganMs - TOLERANCE_MS || nowMs >= beganMs + lengthMs;
  return isWrong ? { ...evaluation, beganMs: startMs, datings: datings + 1 } : evaluation;
}
