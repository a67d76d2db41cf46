import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, fault } from '../core/errors.ts';
import { err, type Result } from '../core/result.ts';
import type { HostFacts } from '../hardware/components.ts';
import type { ReadDepth } from '../hardware/read-host-facts.ts';
import type { LicenseBuild } from './build-keys.ts';
import { decide } from './decide.ts';
import type { FoundLicense, LicensedService } from './judge-license.ts';
import { describeLicenseFolder, readLicenseFolder } from './license-folder.ts';
import type { RecordProblem, Records } from './records.ts';
import type { Revocations } from './revocations.ts';
import type { LicenseState } from './states.ts';
import type { Clocks } from './trial-time.ts';
import { createTrials } from './trials.ts';
import { isServed, type LicenseDecision, refuse } from './verdict.ts';

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
  /** Undefined before the first decision. */
  findDecision(deployName: string): LicenseDecision | undefined;
  /** Reads everything again, hardware too. */
  reload(): void;
  /** Stops looking and writes the records. */
  stop(): Promise<void>;
}

/** How often the clock and the folder are looked at, in ms: new licences count from then on. */
const LOOK_INTERVAL_MS = 1000;

/** How often hardware that refuses a licence is read again, in ms: a driver may still be starting. */
const REREAD_INTERVAL_MS: Partial<Record<LicenseState, number>> = {
  GPU_NOT_FOUND: 5_000,
  GPU_MISMATCH: 30_000,
  HARDWARE_MISMATCH: 30_000,
};

const CHECKING = fault('UNAVAILABLE', 'the licence of this host is being checked', 1);

const UNREAD_INTERVAL_MS = 30_000;
const FOLDER_PATIENCE_MS = 5_000;

/**
 * Hardware is read at the start, on `reload`, when the folder changes, and while it refuses a
 * service; not again while all are served, so that no passing fault of a disk ends that.
 */
export function createLicenseGate(options: LicenseGateOptions): LicenseGate {
  const { build, folder } = options;
  let decisions: ReadonlyMap<string, LicenseDecision> = new Map();
  let refusals: ReadonlyMap<string, Fault> | undefined;
  let wantsFacts = true;
  let factsReadMs = Number.NEGATIVE_INFINITY;
  let facts: Result<HostFacts, string> = err('the hardware has not been read yet');
  /** Files alone tell enough on most hosts; the rest would hold up the start. */
  let factsDepth: ReadDepth = 'files';
  let licenses: readonly FoundLicense[] = [];
  let revocations: Revocations = { reasons: new Map(), problems: [] };
  let folderText: string | undefined;
  let folderReading: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let isStopped = false;
  const told = new Map<string, string>();

  const opening = Promise.withResolvers<Records>();
  const trialsReady = opening.promise.then((records) => ({
    records,
    trials: createTrials({ records, builtMs: Date.parse(build.builtOn), clocks: options.clocks }),
  }));

  async function look(): Promise<void> {
    const [{ records, trials }] = await Promise.all([
      trialsReady,
      readFolderInTime(),
      readHardware(),
    ]);
    const decideNow = () =>
      decide(options.services(), {
        build,
        licenses,
        facts,
        isComplete: factsDepth === 'all' && folderText !== undefined,
        revocations,
        records: records.content,
        trials,
      });
    let decided = decideNow();
    if (factsDepth === 'files' && decided.some(isAboutHardware)) {
      factsDepth = 'all';
      keepFacts(await options.readFacts('all'));
      decided = decideNow();
    }
    if (isStopped) {
      return;
    }
    trials.use(new Set(decided.filter(isCounted).flatMap(({ licenseId }) => licenseId ?? [])));
    decisions = new Map(decided.map((decision) => [decision.deployName, decision]));
    refusals = new Map(
      decided.flatMap((decision) => {
        const refusal = refuse(decision);
        return refusal === undefined ? [] : [[decision.deployName, refusal]];
      }),
    );
    for (const decision of decided) {
      const { deployName, state, licenseId, warnDays } = decision;
      tell(deployName, `${state} ${licenseId} ${warnDays}`, () => options.onDecision(decision));
    }
    for (const problem of records.problems) {
      tell(problem.path, problem.detail, () => options.onRecordProblem(problem));
    }
    for (const problem of revocations.problems) {
      tell(problem, problem, () => options.onRevocationProblem(problem));
    }
  }

  /** Once for each change. */
  function tell(subject: string, news: string, report: () => void): void {
    if (told.get(subject) !== news) {
      told.set(subject, news);
      report();
    }
  }

  /** A network share that hangs must not stop the clock: then what is known goes on to count. */
  function readFolderInTime(): Promise<void> {
    folderReading ??= readFolder().finally(() => {
      folderReading = undefined;
    });
    return Promise.race([folderReading, delay(FOLDER_PATIENCE_MS, undefined, { ref: false })]);
  }

  async function readFolder(): Promise<void> {
    const text = await describeLicenseFolder(folder);
    if (text !== folderText) {
      licenses = await readLicenseFolder(folder, build);
      revocations = await options.readRevocations();
      // What a new licence is held against should not be old.
      wantsFacts ||= folderText !== undefined;
      folderText = text;
    }
  }

  async function readHardware(): Promise<void> {
    const now = options.clocks.upMs();
    const interval = Math.min(
      facts.ok ? Number.POSITIVE_INFINITY : UNREAD_INTERVAL_MS,
      ...[...decisions.values()].flatMap(({ state }) => REREAD_INTERVAL_MS[state] ?? []),
    );
    if (!wantsFacts && now - factsReadMs < interval) {
      return;
    }
    wantsFacts = false;
    factsReadMs = now;
    keepFacts(await options.readFacts(factsDepth));
  }

  /** That nothing could be read is not that something has changed. */
  function keepFacts(read: Result<HostFacts, string>): void {
    if (read.ok || !facts.ok) {
      facts = read;
    }
  }

  async function lookAndGoOn(): Promise<void> {
    try {
      await look();
    } catch (error) {
      options.onFailure(error);
    }
    if (!isStopped) {
      timer = setTimeout(() => {
        looking = lookAndGoOn();
      }, LOOK_INTERVAL_MS).unref();
    }
  }

  return {
    start() {
      options.openRecords().then(opening.resolve, opening.reject);
      looking = lookAndGoOn();
      return looking;
    },
    findRefusal: (deployName) => (refusals === undefined ? CHECKING : refusals.get(deployName)),
    findDecision: (deployName) => decisions.get(deployName),
    reload() {
      wantsFacts = true;
      folderText = undefined;
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await looking;
      const { trials } = await trialsReady;
      trials.use(new Set());
      await trials.saved();
    },
  };
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
