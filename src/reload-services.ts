import { setTimeout as delay } from 'node:timers/promises';
import type { Config, ServiceConfig } from './config/schema.ts';
import type { ImageService } from './inference/service.ts';

type Services = ReadonlyMap<string, ImageService>;

/** The services that a new configuration leads to; not one of them is in use yet. */
export interface RenewedServices {
  readonly services: Services;
  /** As they are served: one that cannot be loaded anew stays with what it was before. */
  readonly configs: readonly ServiceConfig[];
  /** Which are no longer used. */
  readonly retired: readonly ImageService[];
  /** What could not be loaded and why, a sentence each. */
  readonly problems: readonly string[];
}

/** Loads what is new or changed beside what is served. Never rejects. */
export async function renewServices(
  served: Services,
  before: Config,
  after: Config,
  make: (config: Config) => Promise<Services>,
): Promise<RenewedServices> {
  const known = new Map(before.services.map((service) => [service.deployName, service]));
  const common = ({ modelsDir, imaging }: Config) => ({ modelsDir, imaging });
  const isSame = (service: ServiceConfig) =>
    JSON.stringify([known.get(service.deployName), common(before)]) ===
      JSON.stringify([service, common(after)]) &&
    served.get(service.deployName)?.status().state !== 'failed'; // its model may be back
  const fresh = await make({ ...after, services: after.services.filter((one) => !isSame(one)) });
  await Promise.all([...fresh.values()].map((service) => service.load()));

  const services = new Map<string, ImageService>();
  const configs: ServiceConfig[] = [];
  const problems: string[] = [];
  for (const config of after.services) {
    const { deployName } = config;
    const old = served.get(deployName);
    const renewed = fresh.get(deployName);
    const status = renewed?.status();
    const isFailed = status !== undefined && status.state !== 'ready';
    if (isFailed) {
      const goesOn = old?.status().state === 'ready' ? '; the one before goes on serving' : '';
      problems.push(`${deployName}: ${status.problems.join('; ')}${goesOn}`);
    }
    const staysOld = isFailed && old?.status().state === 'ready';
    const chosen = staysOld ? old : (renewed ?? old);
    if (chosen !== undefined) {
      services.set(deployName, chosen);
      configs.push(staysOld ? (known.get(deployName) ?? config) : config);
    }
  }
  const used = new Set(services.values());
  const retired = [...served.values(), ...fresh.values()].filter((service) => !used.has(service));
  return { services, configs, retired, problems };
}

const POLL_MS = 20;

/** Closes a service once the requests that it has are answered, or `patienceMs` have passed. */
export async function retireService(service: ImageService, patienceMs: number): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (service.admission.openRequests > 0 && performance.now() < endMs) {
    await delay(POLL_MS);
  }
  await service.close();
}

/** Keys that count only from the next start, of those in which the configurations differ. */
export function listRestartKeys(before: Config, after: Config): string[] {
  const read = ({ host, port, admin, stateDir, license, log }: Config) => ({
    host,
    port,
    'admin.host': admin.host,
    'admin.port': admin.port,
    stateDir,
    'license.dir': license.dir,
    'license.recordsDir': license.recordsDir,
    'log.format': log.format,
  });
  const old = Object.entries(read(before));
  const values = Object.values(read(after));
  return old.flatMap(([key, value], index) => (value === values[index] ? [] : [key]));
}
