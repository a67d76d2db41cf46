import type { Result } from '../core/result.ts';
import type { HostFacts } from '../hardware/components.ts';
import type { ClockVerdict, Term } from './clock-policy.ts';
import { describeClock } from './describe-clock.ts';
import { type HardwareMatch, matchFingerprint } from './match.ts';
import type { LicenseVerdict } from './verdict.ts';
import type { License, LicenseRefusal } from './verify-license.ts';

const SECOND_MS = 1000;

/** A file in the folder of licences. */
export interface FoundLicense {
  /** Its name in that folder; `.` is the folder, which could not be read. */
  readonly file: string;
  readonly license: Result<License, LicenseRefusal>;
  /** What is wrong with the file since the licence was read from it. */
  readonly damage?: string;
}

/** What a licence is held against. */
export interface Circumstances {
  /** Or why nothing could be learnt about the hardware. */
  readonly facts: Result<HostFacts, string>;
  /** Why a licence was withdrawn, by its id. */
  readonly revoked: ReadonlyMap<string, string>;
  /** The day on which this release was built, such as `2026-11-22`. */
  readonly builtOn: string;
  /** What a trial's clock says, in use or not. */
  readonly judgeTrial: (licenseId: string, term: Term) => ClockVerdict;
}

/** What a service asks of a licence. */
export interface LicensedService {
  readonly deployName: string;
  /** Unknown while it loads. */
  readonly model?: string | undefined;
  /** The same; a licence is then taken to be for the one it will be. */
  readonly device?: 'cpu' | 'cuda' | undefined;
}

/** What a file is worth to a service: the first thing that is wrong, else how long it lasts. */
export function judgeLicense(
  { file, license, damage }: FoundLicense,
  service: LicensedService,
  circumstances: Circumstances,
): LicenseVerdict {
  if (!license.ok) {
    return { ...license.error, file };
  }
  const { lic_id: licenseId, kind, tier, customer } = license.value.claims;
  const known = { kind, tier, licenseId, customer, file };
  const judgement = judgeClaims(license.value, service, circumstances);
  const detail =
    damage === undefined
      ? judgement.detail
      : `${judgement.detail}; its file was good and no longer is (${damage})`;
  return { ...known, ...judgement, detail };
}

type Judgement = Pick<
  LicenseVerdict,
  'state' | 'detail' | 'isUnread' | 'leftMs' | 'warnDays' | 'match'
>;

function judgeClaims(
  { claims }: License,
  service: LicensedService,
  circumstances: Circumstances,
): Judgement {
  const { lic_id: id } = claims;
  const misfit = findMisfit(claims, service);
  if (misfit !== undefined) {
    return { state: 'PRODUCT_MISMATCH', detail: misfit };
  }
  const withdrawn = circumstances.revoked.get(id);
  if (withdrawn !== undefined) {
    return { state: 'REVOKED', detail: `licence ${id} ${withdrawn}` };
  }
  const { updates_until: until } = claims;
  if (until !== undefined && until < circumstances.builtOn) {
    const detail = `the licence covers releases built until ${until}, this one was built on ${circumstances.builtOn}`;
    return { state: 'VERSION_NOT_COVERED', detail };
  }
  const hardware = judgeHardware(claims, service, circumstances.facts);
  if (!hardware.ok) {
    return hardware.error;
  }
  const match = hardware.value;
  if (claims.exp === undefined) {
    return match.drift
      ? { state: 'HARDWARE_DRIFT', detail: describeDrift(match), match }
      : { state: 'VALID', detail: `licence ${id} is permanent and fits this hardware`, match };
  }
  const term = { iatMs: claims.iat * SECOND_MS, expMs: claims.exp * SECOND_MS };
  const clock = describeClock(circumstances.judgeTrial(id, term), term);
  // That it ends soon, or that the clock is wrong, is the more pressing news.
  return clock.state === 'TRIAL' && match.drift
    ? {
        ...clock,
        state: 'HARDWARE_DRIFT',
        detail: `${describeDrift(match)}; ${clock.detail}`,
        match,
      }
    : { ...clock, match };
}

function findMisfit(claims: License['claims'], service: LicensedService): string | undefined {
  if (claims.deploy_name.normalize('NFC') !== service.deployName.normalize('NFC')) {
    return `the licence is for deploy name ${claims.deploy_name}, the service is ${service.deployName}`;
  }
  const { models = [] } = claims;
  return models.length === 0 || service.model === undefined || models.includes(service.model)
    ? undefined
    : `the licence is for model ${models.join(' or ')}, the service runs ${service.model}`;
}

function judgeHardware(
  claims: License['claims'],
  service: LicensedService,
  facts: Circumstances['facts'],
): Result<HardwareMatch, Judgement> {
  const refuse = (error: Judgement) => ({ ok: false, error }) as const;
  if (claims.tier === 'cpu' && service.device === 'cuda') {
    const detail = `the licence is for the CPU and the service runs on the graphics card; the setting "device: cpu" would fit`;
    return refuse({ state: 'GPU_MISMATCH', detail });
  }
  if (!facts.ok) {
    return refuse({ state: 'HARDWARE_MISMATCH', detail: facts.error, isUnread: true });
  }
  const match = matchFingerprint(claims.fp, facts.value, {
    allowsContainer: claims.container === 'allow',
  });
  return match.failure === undefined
    ? { ok: true, value: match }
    : refuse({ state: match.failure, detail: match.detail ?? match.failure, match });
}

function describeDrift({ score, of, components }: HardwareMatch): string {
  const changed = components.filter(({ matches }) => !matches).map(({ kind }) => kind);
  return `changed since the licence was issued: ${changed.join(', ')} (matching ${score} of ${of})`;
}
