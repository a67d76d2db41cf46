import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../core/errors.ts';
import type { Result } from '../core/result.ts';
import { within } from '../core/within.ts';
import type { HostFacts } from '../hardware/components.ts';
import type { ReadDepth } from '../hardware/read-host-facts.ts';
import type { LicenseBuild } from './build-keys.ts';
import { decide } from './decide.ts';
import { watchFolder } from './folder-watch.ts';
import { type KnownHardware, watchHardware } from './hardware-watch.ts';
import type { LicensedService } from './judge-license.ts';
import type { RecordProblem, Records } from './records.ts';
import type { Revocations } from './revocations.ts';
import type { LicenseState } from './states.ts';
import type { Clocks } from './trial-time.ts';
import { createTrials } from './trials.ts';
import { isServed, type LicenseDecision, notYetDecided, refuse } from './verdict.ts';

export interface LicenseGateOptions {
  readonly build: LicenseBuild;
  /** Where the licences lie. */
  readonly folder: string;
  readonly readRevocations: () => Promise<Revocations>;
  readonly openRecords: () => Promise<Records>;
  readonly services: () => readonly LicensedService[];
  readonly readFacts: (depth: ReadDepth) => Promise<Result<HostFacts, string>>;
  readonly clocks: Clocks;
  /** Told when a service's state, its licence or its next warning changes. */
  readonly onDecision: (decision: LicenseDecision) => void;
  /** Told when what is wrong with the places of the records changes. */
  readonly onRecordProblem: (problem: RecordProblem) => void;
  /** Told what of the folder of licences does not count, and why. */
  readonly onFolderProblem: (detail: string) => void;
  /** Told why a list of withdrawn licences does not count. */
  readonly onRevocationProblem: (detail: string) => void;
  /** Told of a fault of this program; what was decided before goes on. */
  readonly onFailure: (error: unknown) => void;
}

/** Says of each service whether it may answer. It never ends the process. */
export interface LicenseGate {
  /** Begins to look; resolves with the first decisions. */
  start(): Promise<void>;
  /**
   * What callers of this service are answered instead; undefined where they are served. Asked for
   * each request, so it only looks up what was decided before.
   */
  findRefusal(deployName: string): Fault | undefined;
  findDecision(deployName: string): LicenseDecision;
  /** Reads everything again, hardware too. */
  reload(): void;
  /**
   * Stops looking, and waits until what is being written of the records is written. Whatever
   * hangs is given up when `deadline` aborts, but not within the first second.
   */
  stop(deadline?: AbortSignal): Promise<void>;
}

/** How often the clock and the folder are looked at, in ms: new licences count from then on. */
const LOOK_INTERVAL_MS = 1000;

/** How often hardware that refuses a licence is read again, in ms: a driver may still be starting. */
const REREAD_INTERVAL_MS: Partial<Record<LicenseState, number>> = {
  GPU_NOT_FOUND: 5_000,
  GPU_MISMATCH: 30_000,
  HARDWARE_MISMATCH: 30_000,
};

/**
 * How long the first charge of a trial is waited for, in ms: nothing is served on a trial of which
 * there is no record, unless a disk is too slow for a licence to count within two seconds.
 */
const CHARGE_PATIENCE_MS = 500;

const UNREAD_INTERVAL_MS = 30_000;
const STOP_PATIENCE_MS = 1_000;

/**
 * Hardware is read at the start, on `reload`, when the folder changes, and while it refuses a
 * service; not again while all are served, so that no passing fault of a disk ends that.
 */
export function createLicenseGate(options: LicenseGateOptions): LicenseGate {
  const { build, clocks } = options;
  let decisions: ReadonlyMap<string, LicenseDecision> = new Map();
  let refusals: ReadonlyMap<string, Fault> = new Map();
  const notYet = refuse(notYetDecided(''));
  const folder = watchFolder(options);
  const hardware = watchHardware({ ...options, upMs: clocks.upMs });
  const firstDecisions = Promise.withResolvers<void>();
  let isStopped = false;
  const told = new Map<string, string>();

  const opening = Promise.withResolvers<Records>();
  const trialsReady = opening.promise.then((records) => ({
    records,
    trials: createTrials({
      records,
      builtMs: Date.parse(build.builtOn),
      clocks,
      onFailure: options.onFailure,
    }),
  }));

  /** Resolves with what was known of the hardware. */
  async function look(): Promise<KnownHardware> {
    const [{ records, trials }, isFolderChanged] = await Promise.all([
      trialsReady,
      folder.look(),
      hardware.first,
    ]);
    const { known } = hardware;
    if (isFolderChanged) {
      hardware.read(); // what a new licence is held against should not be old
    }
    const { found, revocations } = folder;
    const { facts, isComplete } = known;
    const services = options.services();
    const decideNow = () =>
      decide(services, {
        build,
        licenses: found.licenses,
        facts,
        isComplete,
        revocations,
        records: records.content,
        trials,
      });
    let decided = decideNow();
    if (!isStopped && (await trials.beginProposed())) {
      decided = decideNow();
    }
    if (isStopped) {
      return known;
    }
    if (decided.some(isAboutHardware)) {
      hardware.deepen();
    }
    // Until everything is read, more knowledge may turn a refusal into the opposite.
    const latest = decided.flatMap((decision) =>
      isComplete || !isAboutHardware(decision)
        ? decision
        : (decisions.get(decision.deployName) ?? []),
    );
    const inUse = new Set(latest.filter(isCounted).flatMap(({ licenseId }) => licenseId ?? []));
    await within(CHARGE_PATIENCE_MS, trials.use(inUse));
    publish(latest);
    if (latest.length === services.length) {
      firstDecisions.resolve();
    }
    tellNews(records.problems, found.problems, revocations.problems);
    const states = latest.map(({ state }) => REREAD_INTERVAL_MS[state] ?? Number.POSITIVE_INFINITY);
    hardware.readIfOlderThan(
      Math.min(facts.ok ? Number.POSITIVE_INFINITY : UNREAD_INTERVAL_MS, ...states),
    );
    return known;
  }

  function publish(latest: readonly LicenseDecision[]): void {
    decisions = new Map(latest.map((decision) => [decision.deployName, decision]));
    refusals = new Map(
      latest.flatMap((decision) => {
        const refusal = refuse(decision);
        return refusal === undefined ? [] : [[decision.deployName, refusal]];
      }),
    );
  }

  /** Each once, and again when it has changed or has been right in between. */
  function tellNews(
    ofRecords: readonly RecordProblem[],
    ofFolder: readonly string[],
    ofRevocations: readonly string[],
  ): void {
    const news: (readonly [subject: string, text: string, report: () => void])[] = [
      ...[...decisions.values()].map((decision) => {
        const { deployName, state, licenseId, warnDays } = decision;
        const report = () => options.onDecision(decision);
        return [`service ${deployName}`, `${state} ${licenseId} ${warnDays}`, report] as const;
      }),
      ...ofRecords.map((problem) => {
        const report = () => options.onRecordProblem(problem);
        return [`records ${problem.path}`, problem.detail, report] as const;
      }),
      ...ofFolder.map(
        (detail) => [`folder ${detail}`, '', () => options.onFolderProblem(detail)] as const,
      ),
      ...ofRevocations.map(
        (detail) => [`list ${detail}`, '', () => options.onRevocationProblem(detail)] as const,
      ),
    ];
    const unheard = news.filter(([subject, text]) => told.get(subject) !== text);
    told.clear();
    for (const [subject, text] of news) {
      told.set(subject, text);
    }
    for (const [, , report] of unheard) {
      report();
    }
  }

  async function watch(): Promise<void> {
    while (!isStopped) {
      let { known } = hardware;
      try {
        known = await look();
      } catch (error) {
        options.onFailure(error);
        firstDecisions.resolve();
      }
      // Cut short where more was learnt of the hardware than this look knew.
      const pause = { ref: false, signal: known.outdated };
      await delay(LOOK_INTERVAL_MS, undefined, pause).catch(() => undefined);
    }
  }

  return {
    start() {
      options.openRecords().then(opening.resolve, opening.reject);
      hardware.read();
      void watch();
      return firstDecisions.promise;
    },
    findRefusal: (deployName) => (decisions.has(deployName) ? refusals.get(deployName) : notYet),
    findDecision: (deployName) => decisions.get(deployName) ?? notYetDecided(deployName),
    reload() {
      hardware.read();
      folder.forget();
    },
    async stop(deadline = AbortSignal.timeout(STOP_PATIENCE_MS)) {
      isStopped = true;
      firstDecisions.resolve();
      const saved = trialsReady.then(async ({ trials }) => {
        await trials.use(new Set());
        await trials.saved();
      });
      await Promise.race([saved, givenUp(deadline)]);
    },
  };
}

async function givenUp(deadline: AbortSignal): Promise<void> {
  const aborted = deadline.aborted ? undefined : once(deadline, 'abort');
  await Promise.all([aborted, delay(STOP_PATIENCE_MS, undefined, { ref: false })]);
}

/** Trials that only the clock refuses: it may come right, or try to undo their end. */
const refusedByClock: ReadonlySet<LicenseState> = new Set(['EXPIRED', 'CLOCK_ROLLBACK']);

function isCounted(decision: LicenseDecision): boolean {
  const isInUse = isServed(decision) || refusedByClock.has(decision.state);
  return isInUse && decision.kind !== 'permanent';
}

/** Whether more knowledge of the hardware may change a decision for the better. */
function isAboutHardware(decision: LicenseDecision): boolean {
  return !isServed(decision) || decision.state === 'HARDWARE_DRIFT';
}
