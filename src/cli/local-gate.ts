import { composeGate } from '../compose/license-gate.ts';
import type { Config } from '../config/schema.ts';
import { OperatorError } from '../core/errors.ts';
import type { ImageService } from '../inference/service.ts';
import { openLicenseSources } from '../licensing/sources.ts';
import { isServed, type LicenseDecision } from '../licensing/verdict.ts';
import type { Logger } from '../telemetry/logger.ts';

/** A licence in use by a command, until it is given back. */
export interface LicenseInUse {
  stop(): Promise<void>;
}

/**
 * What the server asks of a licence, a command that does the server's work asks as well: throws an
 * OperatorError where no licence covers this service. One that was made for a model alone is
 * covered where one of the configured services would be with that model, as it might be given it.
 */
export async function useLicense(
  config: Config,
  { model, service }: { readonly model: string | undefined; readonly service: ImageService },
  log: Logger,
): Promise<LicenseInUse> {
  const names =
    model === undefined
      ? [service.deployName]
      : config.services.map(({ deployName }) => deployName);
  const services = new Map(names.map((deployName) => [deployName, service]));
  const gate = composeGate(() => services, await openLicenseSources(config), log);
  await gate.start();
  const decisions = names.map((deployName) => gate.findDecision(deployName));
  if (decisions.some(isServed)) {
    return gate;
  }
  await gate.stop();
  throw new OperatorError('NO_PERMISSION', describeRefusals(decisions));
}

/** Each reason once: for several services it is often the same. */
function describeRefusals(decisions: readonly LicenseDecision[]): string {
  const reasons = decisions.map(({ state, detail, remedy }) =>
    state === 'CHECKING'
      ? 'the licence of this host could not be checked'
      : `license ${state}: ${detail}. ${remedy}`,
  );
  return [...new Set(reasons)].join('\n');
}
