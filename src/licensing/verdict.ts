import type { Fault } from '../core/errors.ts';
import { fault } from '../core/errors.ts';
import { DAY_MS } from './clock-policy.ts';
import type { HardwareMatch } from './match.ts';
import { findRemedy } from './remedies.ts';
import { type LicenseState, licenseStates } from './states.ts';

/** What one licence is worth to one service now: plain data, without serial numbers. */
export interface LicenseVerdict {
  readonly state: LicenseState;
  /** What was found, as a sentence without its full stop. */
  readonly detail: string;
  readonly kind?: 'permanent' | 'trial' | 'evaluation';
  readonly tier?: 'cpu' | 'gpu';
  readonly licenseId?: string;
  readonly customer?: string;
  /** The file's name in the folder of licences; the evaluation has none. */
  readonly file?: string;
  /** Whether it could not even be read, so that it may be a good licence. */
  readonly isUnread?: true;
  /** What remains of a trial. */
  readonly leftMs?: number;
  /** The smallest of 30, 14, 7, 3 and 1 days that has begun. */
  readonly warnDays?: number;
  readonly match?: HardwareMatch;
}

/** What a service is served or refused by. */
export interface LicenseDecision extends LicenseVerdict {
  readonly deployName: string;
  /** What to do, as a sentence; empty where nothing is to be done. */
  readonly remedy: string;
  /** What the other licences here are worth to this service. */
  readonly others: readonly LicenseVerdict[];
}

export function isServed({ state }: LicenseVerdict): boolean {
  return licenseStates[state].class !== 'refused';
}

/** Days left of a trial as people count them: 1 on the last one, 0 after it. */
export function leftDays({ leftMs }: LicenseVerdict): number | undefined {
  return leftMs === undefined ? undefined : Math.max(0, Math.ceil(leftMs / DAY_MS));
}

/** What callers are answered, or undefined where they are served. */
export function refuse({ state, detail, remedy }: LicenseDecision): Fault | undefined {
  const facts = licenseStates[state];
  return facts.class === 'refused'
    ? fault(
        facts.fault,
        `license ${state}: ${detail}. ${remedy}`,
        'retryAfterS' in facts ? facts.retryAfterS : undefined,
      )
    : undefined;
}

/** What a service is refused by before anything was decided. */
export function notYetDecided(deployName: string): LicenseDecision {
  return chooseVerdict(deployName, [
    { state: 'CHECKING', detail: 'the licence of this host is being checked' },
  ]);
}

/** The best of the verdicts on all licences: what serves before what does not, then what serves longest. */
export function chooseVerdict(
  deployName: string,
  verdicts: readonly LicenseVerdict[],
): LicenseDecision {
  const [best = nothingFound(deployName), ...others] = verdicts.toSorted(
    (a, b) => rank(b) - rank(a) || (b.leftMs ?? 0) - (a.leftMs ?? 0),
  );
  return { ...best, deployName, remedy: findRemedy(best.state, best.isUnread), others };
}

function nothingFound(deployName: string): LicenseVerdict {
  return { state: 'NOT_FOUND', detail: `there is no licence for ${deployName} on this host` };
}

/** Of what is refused, that comes first which says most about the way out. */
function rank(verdict: LicenseVerdict): number {
  if (isServed(verdict)) {
    return { permanent: 12, trial: 11, evaluation: 10 }[verdict.kind ?? 'evaluation'];
  }
  if (verdict.state === 'PRODUCT_MISMATCH') {
    return 1;
  }
  return verdict.kind === undefined ? 2 : { permanent: 5, trial: 4, evaluation: 3 }[verdict.kind];
}
