import type { Config, ServiceConfig } from '../config/schema.ts';
import type { ServiceStatus } from '../inference/service-status.ts';
import type { Services } from './services.ts';
import type { ServicesInUse } from './services-in-use.ts';

/** The services that a new configuration leads to; those that are new are not in use yet. */
export interface RenewedServices {
  readonly services: Services;
  /** As they are served: one that cannot be loaded anew stays with what it was before. */
  readonly configs: readonly ServiceConfig[];
  /** What could not be loaded and why, a sentence each. */
  readonly problems: readonly string[];
}

/** Loads what is new or changed, in the configuration or in the model's files, beside what is served. */
export async function renewServices(
  { served, loadBeside }: ServicesInUse,
  before: Config,
  after: Config,
  make: (config: Config) => Promise<Services>,
): Promise<RenewedServices> {
  const known = new Map(before.services.map((service) => [service.deployName, service]));
  const changed = await findChanged(served, known, before, after);
  const fresh = await make({ ...after, services: changed });
  await loadBeside(fresh);

  const services: [string, NonNullable<ReturnType<Services['get']>>][] = [];
  const configs: ServiceConfig[] = [];
  const problems: string[] = [];
  for (const config of after.services) {
    const { deployName } = config;
    const old = served.get(deployName);
    const renewed = fresh.get(deployName);
    const failed = findFailure(renewed?.status());
    const staysOld = failed !== undefined && old?.status().state === 'ready';
    if (failed !== undefined) {
      problems.push(
        `${deployName}: ${failed}${staysOld ? '; the one before goes on serving' : ''}`,
      );
    }
    const chosen = staysOld ? old : (renewed ?? old);
    if (chosen !== undefined) {
      services.push([deployName, chosen]);
      configs.push(staysOld ? (known.get(deployName) ?? config) : config);
    }
  }
  return { services: new Map(services), configs, problems };
}

async function findChanged(
  served: Services,
  known: ReadonlyMap<string, ServiceConfig>,
  before: Config,
  after: Config,
): Promise<ServiceConfig[]> {
  const common = ({ modelsDir, imaging }: Config) => ({ modelsDir, imaging });
  const isChanged = async (config: ServiceConfig) => {
    const old = served.get(config.deployName);
    return (
      JSON.stringify([known.get(config.deployName), common(before)]) !==
        JSON.stringify([config, common(after)]) ||
      old === undefined ||
      old.status().state === 'failed' || // its model may be back
      (await old.hasModelChanged())
    );
  };
  const answers = await Promise.all(after.services.map(isChanged));
  return after.services.filter((_, index) => answers[index]);
}

function findFailure(status: ServiceStatus | undefined): string | undefined {
  return status === undefined || status.state === 'ready' ? undefined : status.problems.join('; ');
}
