import type { Result } from '../core/result.ts';
import type { HostFacts } from '../hardware/components.ts';
import type { LicenseBuild } from './build-keys.ts';
import { type FoundLicense, judgeLicense, type LicensedService } from './judge-license.ts';
import type { RecordContent } from './record-content.ts';
import type { Revocations } from './revocations.ts';
import type { Trials } from './trials.ts';
import { chooseVerdict, isServed, type LicenseDecision, type LicenseVerdict } from './verdict.ts';

/** All that a decision depends on, but for the clock, which `trials` reads. */
export interface Situation {
  readonly build: LicenseBuild;
  readonly licenses: readonly FoundLicense[];
  /** Or why nothing could be learnt about the hardware. */
  readonly facts: Result<HostFacts, string>;
  /** Whether these are all the facts there are: only then may an evaluation be bound to them. */
  readonly isComplete: boolean;
  /** What the vendor withdrew. */
  readonly revocations: Revocations;
  readonly records: RecordContent;
  readonly trials: Trials;
}

/**
 * What each service is served or refused by. The evaluation counts beside the licences; it begins
 * only on a host that has none.
 */
export function decide(
  services: readonly LicensedService[],
  situation: Situation,
): LicenseDecision[] {
  const { licenses } = situation;
  const evaluations = judgeEvaluation(situation);
  const judged = services.map((service) => ({
    deployName: service.deployName,
    verdicts: licenses.map((found) => judgeFound(found, service, situation)),
  }));
  const replacements = findReplacements(
    judged.map(({ verdicts }) => verdicts),
    licenses,
  );
  return judged.map(({ deployName, verdicts }) =>
    chooseVerdict(deployName, [
      ...verdicts.map((verdict) => endReplaced(verdict, replacements)),
      ...evaluations,
    ]),
  );
}

/** One or none: that of this host, else one that may begin on a host without licences. */
function judgeEvaluation(situation: Situation): LicenseVerdict[] {
  const { build, licenses, facts, isComplete, trials } = situation;
  const { enabled, days } = build.evaluation;
  if (!enabled) {
    return [];
  }
  const components = facts.ok ? facts.value.components : [];
  const hasBegun = trials.hasEvaluation(components);
  const isUnlicensed = licenses.every(({ license }) => !license.ok && !license.error.isUnread);
  if (!hasBegun && !(isUnlicensed && isComplete)) {
    return [];
  }
  return [
    hasBegun || facts.ok ? trials.judgeEvaluation(days, components) : cannotBegin(facts.error),
  ];
}

/** An evaluation that is bound to nothing would be anybody's. */
function cannotBegin(reason: string): LicenseVerdict {
  const detail = `no evaluation can begin: ${reason}`;
  return { state: 'HARDWARE_MISMATCH', kind: 'evaluation', detail, isUnread: true };
}

/** A licence that serves any service ends those in whose place it was issued: old id, new id. */
function findReplacements(
  verdictsOfServices: readonly (readonly LicenseVerdict[])[],
  licenses: readonly FoundLicense[],
): ReadonlyMap<string, string> {
  return new Map(
    licenses.flatMap(({ license }, index) => {
      const isInForce = verdictsOfServices.some((verdicts) => {
        const verdict = verdicts[index];
        return verdict !== undefined && isServed(verdict);
      });
      const { lic_id: id, replaces = [] } =
        license.ok && isInForce ? license.value.claims : { lic_id: '' };
      return replaces.map((old) => [old, id] as const);
    }),
  );
}

function endReplaced(
  verdict: LicenseVerdict,
  replacements: ReadonlyMap<string, string>,
): LicenseVerdict {
  const by = replacements.get(verdict.licenseId ?? '');
  return by === undefined
    ? verdict
    : {
        ...verdict,
        state: 'REVOKED',
        detail: `licence ${verdict.licenseId} was replaced by ${by}`,
      };
}

/** What one licence, in the folder or not, is worth to a service. */
export function judgeFound(
  found: FoundLicense,
  service: LicensedService,
  { build, facts, revocations, records, trials }: Omit<Situation, 'licenses' | 'isComplete'>,
): LicenseVerdict {
  return judgeLicense(found, service, {
    facts,
    revoked: new Map([
      ...records.released.map((id) => [id, 'was given up by this host'] as const),
      ...revocations.reasons
        .entries()
        .map(([id, reason]) => [id, describeWithdrawal(reason)] as const),
    ]),
    builtOn: build.builtOn,
    judgeTrial: trials.judgeSigned,
  });
}

function describeWithdrawal(reason: string | undefined): string {
  return reason === undefined
    ? 'was withdrawn by the vendor'
    : `was withdrawn by the vendor (${reason})`;
}
