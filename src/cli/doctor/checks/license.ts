import { readdir } from 'node:fs/promises';
import { inspectLicenses } from '../../../licensing/inspection.ts';
import { openLicenseSources } from '../../../licensing/sources.ts';
import { type LicenseState, licenseStates } from '../../../licensing/states.ts';
import { isServed, type LicenseDecision } from '../../../licensing/verdict.ts';
import { listLicensedServices } from '../../license/local-licenses.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const STATUS = 'edge-infer license status';

/** By what the running server has decided, and by a look of its own where it may look. */
export const licenseCheck: Check = {
  name: 'license',
  async run(host) {
    if (host.config === undefined) {
      return [];
    }
    const ofServer = describeServer(host);
    if (!(await mayLook(host.config.stateDir))) {
      const meaning = 'Licences and records are not shown. Root sees more.';
      const hidden = note(
        `${host.config.stateDir}: this user may not look there`,
        meaning,
        `sudo ${STATUS}`,
      );
      return [...(ofServer ?? []), hidden];
    }
    const sources = await openLicenseSources(host.config);
    const { decisions, folderProblems, recordProblems, revocationProblems } = await inspectLicenses(
      sources,
      await listLicensedServices(host.config),
    );
    return [
      ...(ofServer ?? decisions.map(describeDecision)),
      ...decisions.flatMap(describeComponents),
      ...folderProblems.map((detail) =>
        warning(detail, 'This licence file does not count.', STATUS),
      ),
      ...revocationProblems.map((detail) =>
        warning(detail, 'This list of withdrawn licences does not count.', STATUS),
      ),
      ...recordProblems.map(({ path, detail }) =>
        warning(
          `the records at ${path} cannot be kept: ${detail}`,
          'A trial goes on from memory, and an evaluation cannot begin.',
          STATUS,
        ),
      ),
    ];
  },
};

async function mayLook(folder: string): Promise<boolean> {
  try {
    await readdir(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
}

function describeServer({ server }: HostView): Finding[] | undefined {
  return server.ok
    ? server.value.services.map(({ deployName, license }) => {
        const { state, detail, remedy } = license;
        const text = `${deployName}: ${state}, ${detail}`;
        return Object.hasOwn(licenseStates, state) && state !== 'CHECKING'
          ? judge(state as LicenseState, text, remedy)
          : warning(text, `The server has not decided yet. ${remedy}`, STATUS);
      })
    : undefined;
}

function describeDecision({ deployName, state, detail, remedy }: LicenseDecision): Finding {
  return judge(state, `${deployName}: ${state}, ${detail}`, remedy);
}

function judge(state: LicenseState, text: string, remedy: string): Finding {
  switch (licenseStates[state].class) {
    case 'refused':
      return problem(text, `Requests are refused. ${remedy}`, STATUS);
    case 'warning':
      return warning(text, `Requests are answered. ${remedy}`, STATUS);
    case 'valid':
      return fine(text);
  }
}

function describeComponents(decision: LicenseDecision): Finding[] {
  const { match, licenseId } = decision;
  if (match === undefined) {
    return [];
  }
  const others = match.components.filter(({ matches }) => !matches).map(({ kind }) => kind);
  const text = `hardware of licence ${licenseId}: ${match.score} of ${match.of} match, ${match.need} are needed`;
  return others.length === 0
    ? [fine(text)]
    : [
        (isServed(decision) ? note : warning)(
          `${text}; other than licensed: ${others.join(', ')}`,
          'Ask for a new licence before more parts are changed.',
          'edge-infer license request --out request.txt',
        ),
      ];
}
