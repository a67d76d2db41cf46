import type { LicenseHealth } from '../http/routes/health.ts';
import type { ImageService } from '../inference/service.ts';
import { createLicenseGate, type LicenseGate } from '../licensing/gate.ts';
import type { LicenseSources } from '../licensing/sources.ts';
import { licenseStates } from '../licensing/states.ts';
import { isServed, type LicenseDecision, leftDays } from '../licensing/verdict.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Builds the gate that says which of the services may answer. */
export function composeGate(
  readServices: () => ReadonlyMap<string, ImageService>,
  sources: LicenseSources,
  log: Logger,
): LicenseGate {
  return createLicenseGate({
    ...sources,
    services: () =>
      [...readServices()].map(([deployName, service]) => {
        const { model, session } = service.status();
        return { deployName, model: model?.name, device: session?.device };
      }),
    onDecision(decision) {
      const { deployName, state, detail, remedy, licenseId, kind } = decision;
      const level = { valid: 'info', warning: 'warn', refused: 'error' } as const;
      log[level[licenseStates[state].class]](
        {
          service: deployName,
          state,
          detail,
          ...(remedy === '' ? {} : { remedy }),
          licenseId,
          kind,
          daysLeft: leftDays(decision),
        },
        'license',
      );
    },
    onRecordProblem: ({ path, detail }) =>
      log.warn({ path, detail }, 'the records of the licence cannot be kept here'),
    onFolderProblem: (detail) =>
      log.warn({ detail }, 'something in the folder of licences does not count as it should'),
    onRevocationProblem: (detail) =>
      log.warn({ detail }, 'a list of withdrawn licences does not count'),
    onFailure: (error) => log.error({ err: error }, 'the licence could not be checked'),
  });
}

/** What of a decision is told to whoever asks for the server's health. */
export function describeLicense(decision: LicenseDecision): LicenseHealth {
  return { ...decision, isServed: isServed(decision), daysLeft: leftDays(decision) };
}
