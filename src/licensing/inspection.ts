import type { Result } from '../core/result.ts';
import type { HostFacts } from '../hardware/components.ts';
import { decide, judgeFound, type Situation } from './decide.ts';
import type { FoundLicense, LicensedService } from './judge-license.ts';
import { readLicenseFolder } from './license-folder.ts';
import type { RecordProblem } from './records.ts';
import type { LicenseSources } from './sources.ts';
import { createTrials } from './trials.ts';
import type { LicenseDecision, LicenseVerdict } from './verdict.ts';

/** What a service would be served or refused by. */
export interface InspectedDecision extends LicenseDecision {
  /**
   * What it would be on the CPU, where that is another state: then the decision is for the graphics
   * card, which the service may take or not, and only a running server knows.
   */
  readonly onCpu?: LicenseDecision;
}

/** What lies on this host, looked at once: no running time is counted, and nothing is written but a new list. */
export interface Inspection {
  readonly licenses: readonly FoundLicense[];
  readonly decisions: readonly InspectedDecision[];
  /** What could not be read of the hardware, a sentence each. */
  readonly hardwareNotes: readonly string[];
  readonly recordProblems: readonly RecordProblem[];
  /** What of the folder does not count, and why, a sentence each. */
  readonly folderProblems: readonly string[];
  /** Why a list of withdrawn licences does not count, a sentence each. */
  readonly revocationProblems: readonly string[];
  /**
   * What a licence that is not in the folder would be worth to each service; to one whose device
   * is not known, on the device that it is for.
   */
  judge(found: FoundLicense): LicenseVerdict[];
}

/** Decides as the server does, for commands. Where no evaluation was begun, it is told as if it were now. */
export async function inspectLicenses(
  { build, folder, readRevocations, openRecords, readFacts, clocks }: LicenseSources,
  services: readonly LicensedService[],
): Promise<Inspection> {
  const [records, { licenses, problems: folderProblems }, revocations, facts] = await Promise.all([
    openRecords(),
    readLicenseFolder(folder, build),
    readRevocations(),
    readFacts('all'),
  ]);
  const builtMs = Date.parse(build.builtOn);
  const situation = {
    build,
    licenses,
    facts,
    isComplete: true,
    revocations,
    records: records.content,
    trials: createTrials({ records, builtMs, clocks, onFailure: () => undefined }),
  };
  return {
    licenses,
    decisions: decideOnBoth(services, situation),
    hardwareNotes: facts.ok ? facts.value.notes : [facts.error],
    folderProblems,
    recordProblems: records.problems,
    revocationProblems: revocations.problems,
    judge: (found) => services.map((service) => judgeFound(found, service, situation)),
  };
}

/** A device that is not known is the graphics card wherever there may be one, as `auto` takes it. */
function decideOnBoth(
  services: readonly LicensedService[],
  situation: Situation,
): InspectedDecision[] {
  const decideWith = (device: LicensedService['device']) =>
    decide(
      services.map((service) => ({ ...service, device: service.device ?? device })),
      situation,
    );
  const onCpu = decideWith('cpu');
  return mayHaveGpu(situation.facts)
    ? decideWith('cuda').map((decision, index) => {
        const other = onCpu[index];
        return other === undefined || other.state === decision.state
          ? decision
          : { ...decision, onCpu: other };
      })
    : onCpu;
}

function mayHaveGpu(facts: Result<HostFacts, string>): boolean {
  return facts.ok && facts.value.gpus.state !== 'none';
}
