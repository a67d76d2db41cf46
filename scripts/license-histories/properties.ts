import {
  DAY_MS,
  FAR_JUMP_MS,
  isPlausible,
  isServed,
  SETTLING_MS,
  SLACK_MS,
  TOLERANCE_MS,
} from '../../src/licensing/clock-policy.ts';
import { BUILT_MS, type Look, type SimulatedHost } from './host.ts';

/** Looks are up to a second apart, and two servers are charged a minute apart at most. */
const PRECISION_MS = 5 * 60_000;

/** What may never happen, by the name that `violations` has it under. */
export const properties = {
  'locked out': 'an honest history is refused before its true end',
  'over budget': 'more time is served than the term and a day',
  'not written': 'more time is served than is written down',
  'past the end': 'requests are served though a clock that was always right shows the end',
  'after the end': 'requests are served again though the end has passed for certain',
  'put back': 'requests are served by a clock that is more than a day behind what it surely was',
  'before the start': 'requests are served before the licence begins',
} as const;

export type Property = keyof typeof properties;

/**
 * Watches one history from outside. What the clock surely has been is found without the policy's
 * own memory: a reading below which the clock did not fall for a day of running.
 */
export class Watcher {
  violation: Property | undefined;
  readonly #isHonest: boolean;
  #host: SimulatedHost | undefined;
  #before: Look | undefined;
  #firstNowMs: number | undefined;
  #hasBegun = false;
  #wasRight = true;
  #startedMs = 0;
  /** Running time with a plausible clock, and its readings of the last day, rising. */
  #steadyMs = 0;
  readonly #lowest: { steadyMs: number; nowMs: number }[] = [];
  #sureMs = 0;

  constructor(isHonest: boolean) {
    this.#isHonest = isHonest;
  }

  watch(host: SimulatedHost): void {
    this.#host = host;
    this.#startedMs = host.trueMs;
  }

  onStart(chargedMs: number): void {
    const host = this.#host;
    if (host === undefined) return;
    this.#firstNowMs ??= host.nowMs;
    if (!host.lostWrites && chargedMs < host.upMs - 1) this.#violate('not written');
  }

  onLook(look: Look): void {
    const host = this.#host;
    if (host === undefined) return;
    if (this.#isHonest) this.#expectHonestServed(look, host);
    if (host.servedMs > host.lengthMs + SLACK_MS + 2000 && !host.lostWrites) {
      this.#violate('over budget');
    }
    // Whoever runs without a disk is remembered by nobody after a restart.
    if (!host.isEvaluation && !host.lostWrites) this.#watchCalendar(look, host);
    this.#before = look;
  }

  #expectHonestServed({ verdict, trueMs, nowMs }: Look, host: SimulatedHost): void {
    const endMs = host.isEvaluation ? this.#startedMs + host.lengthMs - PRECISION_MS : host.end;
    if (isServed(verdict) || trueMs >= endMs) return;
    // A clock that is ahead by some days may end the trial for as long as it is.
    const firstMs = Math.min(this.#firstNowMs ?? 0, this.#startedMs);
    const endsByClock = host.isEvaluation ? firstMs + host.lengthMs - PRECISION_MS : host.end;
    const isAhead = nowMs >= endsByClock && nowMs - trueMs <= FAR_JUMP_MS;
    if (!(isAhead && verdict.state === 'EXPIRED' && verdict.reason === 'date')) {
      this.#violate('locked out');
    }
  }

  #watchCalendar(look: Look, { term }: SimulatedHost): void {
    const { verdict, nowMs, trueMs, upMs } = look;
    const served = isServed(verdict);
    this.#wasRight &&= Math.abs(nowMs - trueMs) <= DAY_MS / 2;
    if (!isPlausible(nowMs, BUILT_MS, term.expMs)) {
      if (served && this.#sureMs - TOLERANCE_MS >= term.expMs) this.#violate('after the end');
      return;
    }
    this.#remember(look);
    if (served && this.#sureMs - TOLERANCE_MS >= term.expMs) this.#violate('after the end');
    const offMs = trueMs - this.#startedMs - upMs;
    const isPast = nowMs >= term.expMs && this.#wasRight && offMs < FAR_JUMP_MS - 2 * DAY_MS;
    if (served && isPast) {
      this.#violate('past the end');
    }
    if (nowMs >= term.iatMs - TOLERANCE_MS) {
      if (served && nowMs < this.#sureMs - TOLERANCE_MS) this.#violate('put back');
      this.#hasBegun ||= served;
    } else if (served && !this.#hasBegun) {
      this.#violate('before the start');
    }
  }

  #remember({ nowMs, upMs }: Look): void {
    const before = this.#before;
    if (before !== undefined && isPlausible(before.nowMs, BUILT_MS, this.#host?.end)) {
      this.#steadyMs += upMs - before.upMs;
    }
    const lowest = this.#lowest;
    while ((lowest.at(-1)?.nowMs ?? 0) >= nowMs) lowest.pop();
    lowest.push({ steadyMs: this.#steadyMs, nowMs });
    // The first that is left has to reach back to the beginning of the day.
    const sinceMs = this.#steadyMs - SETTLING_MS - PRECISION_MS;
    while (lowest.length > 1 && (lowest[1]?.steadyMs ?? 0) <= sinceMs) lowest.shift();
    const first = lowest[0];
    if (first !== undefined && sinceMs > 0) this.#sureMs = Math.max(this.#sureMs, first.nowMs);
  }

  #violate(property: Property): void {
    this.violation ??= property;
  }
}
