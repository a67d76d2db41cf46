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
  const { build, licenses, facts, isComplete, trials } = situation;
  const components = facts.ok ? facts.value.components : [];
  const isUnlicensed = licenses.every(({ license }) => !license.ok);
  const hasEvaluation =
    build.evaluation.enabled && (trials.hasEvaluation(components) || (isUnlicensed && isComplete));
  const evaluations = hasEvaluation
    ? [trials.judgeEvaluation(build.evaluation.days, components)]
    : [];
  return services.map((service) => {
    const verdicts = licenses.map((found) => judgeFound(found, service, situation));
    return chooseVerdict(service.deployName, [...endReplaced(verdicts, licenses), ...evaluations]);
  });
}

/** A licence that serves ends those in whose place it was issued. */
function endReplaced(
  verdicts: readonly LicenseVerdict[],
  licenses: readonly FoundLicense[],
): LicenseVerdict[] {
  const replacements = new Map(
    licenses.flatMap(({ license }, index) => {
      const verdict = verdicts[index];
      const isInForce = license.ok && verdict !== undefined && isServed(verdict);
      const { lic_id: id, replaces = [] } = isInForce ? license.value.claims : { lic_id: '' };
      return replaces.map((old) => [old, id] as const);
    }),
  );
  return verdicts.map((verdict) => {
    const by = replacements.get(verdict.licenseId ?? '');
    return by === undefined
      ? verdict
      : {
          ...verdict,
          state: 'REVOKED',
          detail: `licence ${verdict.licenseId} was replaced by ${by}`,
        };
  });
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
