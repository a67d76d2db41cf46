import {
  type ClockVerdict,
  DAY_MS,
  isServed,
  SETTLING_MS,
  SLACK_MS,
  type Term,
  TOLERANCE_MS,
} from '../../src/licensing/clock-policy.ts';
import { findEvaluation, issueEvaluation } from '../../src/licensing/evaluation.ts';
import type { Evaluation } from '../../src/licensing/record-content.ts';
import { openRecords, type Records } from '../../src/licensing/records.ts';
import {
  selfIssuedTrial,
  signedTrial,
  startTrialTime,
  type Trial,
  type TrialRules,
  type TrialTime,
} from '../../src/licensing/trial-time.ts';
import { MemoryPlace } from '../../test/licensing/memory-places.ts';
import type { Random } from './random.ts';

/** When the release was built, and about when histories begin. */
export const BUILT_MS = Date.UTC(2026, 10, 1);
const LICENCE_ID = 'trial-0001';
/** A server is not there at once when its host or its supervisor starts it. */
const STARTUP_MS = 500;

/** What happens to one host. */
export type History = (host: SimulatedHost, random: Random) => Promise<void>;

interface Server {
  readonly records: Records;
  readonly trial: Trial;
  readonly time: TrialTime;
  readonly startedUpMs: number;
  readonly startedRanMs: number;
  verdict: ClockVerdict;
}

/** One look at the clock, for the properties to judge. */
export interface Look {
  readonly verdict: ClockVerdict;
  /** The true time, which only the simulation knows. */
  readonly trueMs: number;
  /** What the host's clock shows. */
  readonly nowMs: number;
  /** Time in which any server has been up. */
  readonly upMs: number;
}

export interface HostOptions {
  /** A signed trial of so many days; undefined: an evaluation of 30. */
  readonly signedDays: number | undefined;
  readonly rules: TrialRules;
  /** Whether records are kept in two places, as they are. */
  readonly places: number;
  /** Whether an evaluation's days are only settled after a day, as they are. */
  readonly settlesDays: boolean;
  onLook(look: Look): void;
  /** A server starts and finds this running time in the records. */
  onStart(chargedMs: number): void;
}

/**
 * A host with a clock that may be set, two places for records, and servers that start and are
 * killed. Policy, records and the counting of time are the real ones; only the disk is memory.
 */
export class SimulatedHost {
  readonly places: readonly MemoryPlace[];
  /** The term by the vendor's clock; an evaluation's is its host's affair. */
  readonly term: Term;
  trueMs: number;
  /** What the clock shows more than the true time. */
  offsetMs = 0;
  /** How much faster than true time the clock goes, as a part of it. */
  drift = 0;
  /** Time in which requests were answered. */
  servedMs = 0;
  /** Time in which any server has been up. */
  upMs = 0;
  /** Some of what ran could not be written down. */
  lostWrites = false;
  readonly #random: Random;
  readonly #options: HostOptions;
  readonly #servers: Server[] = [];
  #monotonicMs = 1000;
  #putBack: { readonly place: number; readonly text: string | undefined } | undefined;

  constructor(random: Random, options: HostOptions) {
    this.#random = random;
    this.#options = options;
    this.trueMs = Math.floor(BUILT_MS + random.between(2, 700) * DAY_MS);
    const iatMs = Math.floor(this.trueMs - random.fraction() ** 3 * DAY_MS);
    this.term = { iatMs, expMs: iatMs + (options.signedDays ?? 30) * DAY_MS };
    this.places = Array.from({ length: options.places }, () => new MemoryPlace());
  }

  get isEvaluation(): boolean {
    return this.#options.signedDays === undefined;
  }

  get lengthMs(): number {
    return this.term.expMs - this.term.iatMs;
  }

  get nowMs(): number {
    return Math.floor(this.trueMs + this.offsetMs);
  }

  get end(): number {
    return this.term.expMs;
  }

  /** Sets the host's clock. */
  setClock(nowMs: number): void {
    this.offsetMs = nowMs - this.trueMs;
  }

  /** Time passes with no server up. */
  pass(forMs: number): void {
    this.#advance(forMs, false);
  }

  /** Starts one more server. */
  async start(): Promise<void> {
    await this.#idle(STARTUP_MS);
    const records = await openRecords(this.places);
    const trial = this.isEvaluation
      ? this.#evaluation(records)
      : signedTrial(LICENCE_ID, this.term);
    const startedRanMs = trial.recall(records.content).ranMs;
    this.#options.onStart(startedRanMs);
    const clocks = { nowMs: () => this.nowMs, upMs: () => this.#monotonicMs };
    const { rules } = this.#options;
    const time = await startTrialTime({ records, trial, builtMs: BUILT_MS, clocks, rules });
    const startedUpMs = this.#monotonicMs;
    const server = { records, trial, time, startedUpMs, startedRanMs, verdict: time.look() };
    this.#servers.push(server);
    this.#tell(server);
  }

  /** Kills every server, just before it would have looked at the clock again. */
  kill(): void {
    this.#advance(this.#random.fraction() * this.#nextLookInMs(), true);
    this.#servers.length = 0;
  }

  /** Kills the server that has been up longest. */
  killOne(): void {
    this.#servers.shift();
  }

  /**
   * Puts back an older copy of one place's record, damages or deletes it; but of two places only
   * one at a time, since whoever undoes both has erased the records.
   */
  putBack(place: number, text: string | undefined): void {
    const other = this.#putBack;
    if (
      other !== undefined &&
      other.place !== place &&
      this.places[other.place]?.text === other.text
    )
      return;
    const target = this.places[place];
    if (target !== undefined) {
      target.text = text;
      this.#putBack = { place, text };
    }
  }

  /** Neither place can be written from now on, as on a full or read-only disk, or both can. */
  setWritable(isWritable: boolean): void {
    for (const place of this.places) place.isWritable = isWritable;
    this.lostWrites ||= !isWritable;
  }

  /** The servers run. They look at the clock whenever something may change, and a few times more. */
  async run(forMs: number): Promise<void> {
    const { index, fraction } = this.#random;
    const moments = this.#servers.flatMap((server) => this.#moments(server));
    moments.push(fraction() * this.#nextLookInMs()); // the clock may have been set
    for (let more = index(3); more > 0; more--) moments.push(fraction() * forMs);
    moments.push(forMs);
    let doneMs = 0;
    for (const moment of moments.sort((a, b) => a - b)) {
      if (moment <= doneMs || moment > forMs) continue;
      const stepMs = Math.ceil(moment - doneMs);
      this.#advance(stepMs, true);
      doneMs += stepMs;
      await this.look();
    }
  }

  /** A server runs for a time and is killed. */
  async live(forMs: number): Promise<void> {
    await this.start();
    await this.run(forMs);
    this.kill();
  }

  async look(): Promise<void> {
    for (const server of this.#servers) {
      server.verdict = server.time.look();
      await server.time.saved();
      this.#tell(server);
    }
  }

  /** The host sleeps with its servers: its clock goes on, the monotonic one does not. */
  async suspend(forMs: number): Promise<void> {
    this.#advance(forMs, false);
    await this.look();
  }

  #tell({ verdict }: Server): void {
    const { trueMs, nowMs, upMs } = this;
    this.#options.onLook({ verdict, trueMs, nowMs, upMs });
  }

  #advance(exactMs: number, isUp: boolean): void {
    const forMs = Math.ceil(exactMs);
    this.trueMs += forMs;
    this.offsetMs += forMs * this.drift;
    if (!isUp) return;
    this.#monotonicMs += forMs;
    if (this.#servers.length > 0) this.upMs += forMs;
    if (this.#servers.some(({ verdict }) => isServed(verdict))) this.servedMs += forMs;
  }

  #evaluation(records: Records): Trial {
    let evaluation = findEvaluation(records.content, []);
    if (evaluation === undefined) {
      evaluation = issueEvaluation(records.content, []);
      if (!this.#options.settlesDays) evaluation = settle(evaluation, this.nowMs);
      records.add({ evaluations: [evaluation] });
    }
    return selfIssuedTrial(evaluation.id, 30);
  }

  #nextLookInMs(): number {
    return Math.min(1000, ...this.#servers.map(({ time }) => time.nextLookInMs()));
  }

  /** A short time, in which the servers look as often as they do. */
  async #idle(forMs: number): Promise<void> {
    for (let leftMs = forMs; leftMs > 0; ) {
      const stepMs = Math.min(leftMs, this.#servers.length > 0 ? this.#nextLookInMs() : leftMs);
      this.#advance(stepMs, true);
      await this.look();
      leftMs -= stepMs;
    }
  }

  /** After how much running something may change for this server. */
  #moments({ records, trial, startedUpMs, startedRanMs }: Server): number[] {
    const { markMs, settledRanMs } = trial.recall(records.content);
    const ranMs = startedRanMs + this.#monotonicMs - startedUpMs;
    const { nowMs, end } = this;
    return [
      end - nowMs,
      end + TOLERANCE_MS - nowMs,
      markMs - TOLERANCE_MS - nowMs,
      this.lengthMs + SLACK_MS - ranMs,
      settledRanMs + SETTLING_MS - ranMs,
      SETTLING_MS - ranMs,
    ];
  }
}

/** An evaluation whose days count from the first reading, whatever that was worth. */
function settle(evaluation: Evaluation, nowMs: number): Evaluation {
  const history = { markMs: nowMs, ranMs: 0, settledRanMs: 0 };
  return { ...evaluation, beganMs: nowMs, datings: 1, history };
}
