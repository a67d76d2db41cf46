import { composeGate } from '../compose.ts';
import type { Config } from '../config/schema.ts';
import { OperatorError } from '../core/errors.ts';
import type { ImageService } from '../inference/service.ts';
import { openLicenseSources } from '../licensing/sources.ts';
import { isServed } from '../licensing/verdict.ts';
import type { Logger } from '../telemetry/logger.ts';

/** A licence in use by a command, until it is given back. */
export interface LicenseInUse {
  stop(): Promise<void>;
}

/**
 * What the server asks of a licence, a command that does the server's work asks as well: throws an
 * OperatorError where no licence covers this service. A model that no service is configured for
 * goes by the name of the first one.
 */
export async function useLicense(
  config: Config,
  service: ImageService,
  log: Logger,
): Promise<LicenseInUse> {
  const names = config.services.map(({ deployName }) => deployName);
  const name = names.includes(service.deployName) ? service.deployName : names[0];
  const deployName = name ?? service.deployName;
  const gate = composeGate(new Map([[deployName, service]]), await openLicenseSources(config), log);
  await gate.start();
  const decision = gate.findDecision(deployName);
  if (decision !== undefined && isServed(decision)) {
    return gate;
  }
  await gate.stop();
  throw new OperatorError(
    'NO_PERMISSION',
    decision === undefined
      ? 'the licence of this host could not be checked'
      : `license ${decision.state}: ${decision.detail}. ${decision.remedy}`,
  );
}
