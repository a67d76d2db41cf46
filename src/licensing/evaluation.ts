import { createHmac, randomBytes } from 'node:crypto';
import {
  type ClockReading,
  type ClockRules,
  type ClockVerdict,
  DAY_MS,
  isPlausible,
  judgeClock,
  SETTLING_MS,
  type Term,
  TOLERANCE_MS,
} from './clock-policy.ts';
import type { Evaluation, RecordContent } from './record-content.ts';

const SALT_BYTES = 16;
const HASH_BYTES = 8;

/** A recognised part of a host, as in hardware/components.ts. */
export interface HostComponent {
  readonly kind: string;
  /** Hexadecimal. */
  readonly digest: string;
}

/**
 * Issues a trial to this host. It is bound to whatever can be recognised, in a container or a
 * virtual machine too, so that records carried to another host start a new one there.
 */
export function issueEvaluation(
  { evaluations }: RecordContent,
  components: readonly HostComponent[],
  nowMs: number,
): Evaluation {
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  return {
    id: randomBytes(SALT_BYTES).toString('base64url'),
    order: Math.max(0, ...evaluations.map(({ order }) => order)) + 1,
    salt,
    components: components.map(({ kind, digest }) => ({ k: kind, h: hash(kind, digest, salt) })),
    firstMs: nowMs,
    datedMs: 0,
    history: { markMs: 0, ranMs: 0, settledRanMs: 0 },
  };
}

/**
 * The evaluation of this host, if the records hold one: of several, as two first starts at once
 * leave them, the one that has run longest.
 */
export function findEvaluation(
  { evaluations }: RecordContent,
  components: readonly HostComponent[],
): Evaluation | undefined {
  return evaluations
    .filter((evaluation) => isOfThisHost(evaluation, components))
    .reduce<Evaluation | undefined>(
      (most, each) => (most && most.history.ranMs >= each.history.ranMs ? most : each),
      undefined,
    );
}

/**
 * Whether at least half of what was recognised at issue is still there, of a kind with several
 * (network cards) any one. Kinds that cannot be read now, perhaps for want of root, are not asked;
 * where nothing can be compared the records count as this host's.
 */
export function isOfThisHost(
  { salt, components: sealed }: Evaluation,
  components: readonly HostComponent[],
): boolean {
  const present = new Set(components.map(({ kind }) => kind));
  const hashes = new Set(components.map(({ kind, digest }) => hash(kind, digest, salt)));
  const asked = new Set(sealed.map(({ k }) => k).filter((kind) => present.has(kind)));
  const matching = new Set(sealed.filter(({ h }) => hashes.has(h)).map(({ k }) => k));
  return matching.size * 2 >= asked.size;
}

/**
 * Judges one reading of the clock. The days count from the first reading; but nobody vouches for
 * that one, so for the first 24 hours of running it is only taken where the present reading fits
 * it, and else the days count from when the running time began: an evaluation issued in 1970, in
 * 2099 or with a clock months behind gets its days when the clock is set. Until then there is no
 * mark; the running time counts from the first second.
 */
export function judgeEvaluation(
  evaluation: Evaluation,
  days: number,
  reading: ClockReading,
  rules?: ClockRules,
): { readonly verdict: ClockVerdict; readonly evaluation: Evaluation } {
  const term = dateEvaluation(evaluation, days, reading);
  const { verdict, history } = judgeClock(term, evaluation.history, reading, rules);
  const { nowMs, ranMs, builtMs } = reading;
  if (evaluation.datedMs > 0) {
    return { verdict, evaluation: { ...evaluation, history } };
  }
  if (ranMs >= SETTLING_MS && isPlausible(nowMs, builtMs)) {
    const markMs = Math.max(term.iatMs, nowMs);
    return {
      verdict,
      evaluation: { ...evaluation, datedMs: term.iatMs, history: { ...history, markMs } },
    };
  }
  return { verdict, evaluation: { ...evaluation, history: { ...history, markMs: 0 } } };
}

/** When the evaluation began and ends, as far as this reading can tell. */
export function dateEvaluation(
  { datedMs, firstMs }: Evaluation,
  days: number,
  { nowMs, ranMs, builtMs }: ClockReading,
): Term {
  const lengthMs = days * DAY_MS;
  const from = (iatMs: number) => ({ iatMs, expMs: iatMs + lengthMs });
  if (datedMs > 0) return from(datedMs);
  if (!isPlausible(nowMs, builtMs)) return from(builtMs); // counts for nothing: no calendar applies
  const startMs = nowMs - ranMs;
  const fitsFirst =
    isPlausible(firstMs, builtMs) &&
    firstMs <= startMs + TOLERANCE_MS &&
    nowMs < firstMs + lengthMs;
  return from(fitsFirst ? firstMs : startMs);
}

function hash(kind: string, digest: string, salt: string): string {
  return createHmac('sha256', Buffer.from(salt, 'base64url'))
    .update(`${kind}\0`)
    .update(Buffer.from(digest, 'hex'))
    .digest()
    .subarray(0, HASH_BYTES)
    .toString('base64url');
}
