import { err, ok, type Result } from '../core/result.ts';
import type { WorkerDescription, WorkerLoad } from './protocol.ts';

/** What the workers that there are have found, together. */
export interface WorkersView {
  /** Of those that have loaded the model; undefined when none has. */
  readonly session: WorkerDescription | undefined;
  /** Why others could not, a sentence each and each once. */
  readonly problems: readonly string[];
  /** How many could not. */
  readonly failedCount: number;
}

export function viewWorkers(loads: readonly WorkerLoad[]): WorkersView {
  const failures = loads.flatMap((load) => (load.ok ? [] : [load.error]));
  return {
    session: mergeDescriptions(loads.flatMap((load) => (load.ok ? [load.value] : []))),
    problems: [...new Set(failures)],
    failedCount: failures.length,
  };
}

/** What is true of all first workers together, or why the model cannot be served. */
export function describeFirstWorkers(
  loads: readonly WorkerLoad[],
): Result<WorkerDescription, string[]> {
  const { session, problems } = viewWorkers(loads);
  return session === undefined || problems.length > 0 ? err([...problems]) : ok(session);
}

/** The worst that any of them found: what holds for some of them only says for how many. */
function mergeDescriptions(all: readonly WorkerDescription[]): WorkerDescription | undefined {
  // The CPU before CUDA, by their names.
  const [slowest] = all.toSorted(
    (a, b) => a.device.localeCompare(b.device) || Number(a.isPrepared) - Number(b.isPrepared),
  );
  if (slowest === undefined) {
    return undefined;
  }
  const { imaging, imagingReason } = all.find((one) => one.imaging === 'portable') ?? slowest;
  const share = (isAlike: (one: WorkerDescription) => boolean) => {
    const alike = all.filter(isAlike).length;
    return alike === all.length ? '' : `${alike} of ${all.length} workers: `;
  };
  const deviceShare = share(
    ({ device, isPrepared }) => device === slowest.device && isPrepared === slowest.isPrepared,
  );
  return {
    ...slowest,
    isPrepared: all.every((one) => one.isPrepared),
    deviceReason: `${deviceShare}${slowest.deviceReason}`,
    imaging,
    imagingReason: `${share((one) => one.imaging === imaging)}${imagingReason}`,
  };
}

/** For the log, when workers run otherwise than before; undefined when they do not. */
export function describeChange(
  before: WorkerDescription,
  after: WorkerDescription,
): string | undefined {
  const changes = [
    ...(before.device === after.device && before.isPrepared === after.isPrepared
      ? []
      : [`${nameSession(before)} before, ${nameSession(after)} now (${after.deviceReason})`]),
    ...(before.imaging === after.imaging
      ? []
      : [`imaging ${before.imaging} before, ${after.imaging} now (${after.imagingReason})`]),
  ];
  return changes.length === 0
    ? undefined
    : `the workers run otherwise than before: ${changes.join('; ')}`;
}

function nameSession({ device, isPrepared }: WorkerDescription): string {
  return `device ${device}, weights ${nameWeights(isPrepared)}`;
}

/** Where the weights are, in an operator's words. */
export function nameWeights(isPrepared: boolean): string {
  return isPrepared ? 'shared by all workers' : 'a copy in each worker';
}
