import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Result } from '../core/result.ts';
import type { ConfigurationHealth } from '../http/routes/health.ts';
import type { LicenseGate } from '../licensing/gate.ts';
import type { PassedSockets } from '../systemd/listen-fds.ts';
import type { Logger } from '../telemetry/logger.ts';
import { renewServices } from './renew-services.ts';
import { listRestartKeys } from './restart-keys.ts';
import type { Services } from './services.ts';
import type { ServicesInUse } from './services-in-use.ts';

/** A configuration that was read, or what is wrong with it, a sentence each. */
export type ReadConfig = Result<Config, readonly string[]>;

export interface ReloaderOptions {
  readonly startConfig: Config;
  readonly sockets: PassedSockets;
  readonly services: ServicesInUse;
  /** Builds services, which have not begun to load. */
  readonly make: (config: Config) => Promise<Services>;
  readonly licenses: Pick<LicenseGate, 'findDecision'>;
  /** The models of the start have loaded or failed: none is replaced before. */
  readonly settled: Promise<void>;
  readonly stopping: AbortSignal;
  /** Everything but the services, which are served already, has it from now on. */
  readonly adopt: (config: Config) => void;
  readonly log: Logger;
}

/** Keeps the configuration in force, and takes others while requests are answered. */
export interface Reloader {
  readonly config: Config;
  readonly health: ConfigurationHealth;
  /**
   * Takes a configuration, or notes what is wrong with it. One after the other; of those that come
   * while one is being taken only the last counts, and none during a stop. Resolves when nothing is
   * left to take; never rejects.
   */
  take(next: ReadConfig): Promise<void>;
}

/** A new service is asked for only once its licence was judged, which takes a second at most. */
const LICENSE_PATIENCE_MS = 5_000;
const LICENSE_POLL_MS = 20;

export function createReloader(options: ReloaderOptions): Reloader {
  const { startConfig, services, licenses, stopping, log } = options;
  let config = startConfig;
  let health: ConfigurationHealth = { takenAt: new Date().toISOString(), problems: [] };
  let latest: ReadConfig | undefined;
  let taking: Promise<void> | undefined;

  async function takeAll(): Promise<void> {
    await options.settled;
    while (latest !== undefined && !stopping.aborted) {
      const next = latest;
      latest = undefined;
      if (next.ok) {
        await takeConfig(next.value).catch((error: unknown) =>
          log.error({ err: error }, 'the reload failed'),
        );
      } else {
        refuse(next.error);
      }
    }
    taking = undefined;
  }

  function refuse(mistakes: readonly string[]): void {
    const problems = ['the new configuration has mistakes and was not taken', ...mistakes];
    health = { ...health, refusedAt: new Date().toISOString(), problems };
    log.error({ problems: mistakes }, 'the configuration has mistakes; all goes on as before');
  }

  /** Loads what is new beside what is served, and only then takes it into use. */
  async function takeConfig(next: Config): Promise<void> {
    const restartKeys = listRestartKeys(startConfig, next, options.sockets);
    const lasting = { ...next, stateDir: startConfig.stateDir, license: startConfig.license };
    const renewed = await renewServices(services, config, lasting, options.make);
    await waitForLicenses([...renewed.services.keys()]);
    if (stopping.aborted) {
      return; // whoever stops closes them
    }
    config = { ...lasting, services: renewed.configs };
    services.serve(renewed.services);
    options.adopt(config);
    const problems = [
      ...renewed.problems,
      ...(restartKeys.length === 0
        ? []
        : [`counts from the next start: ${restartKeys.join(', ')}`]),
    ];
    health = { takenAt: new Date().toISOString(), problems };
    log[problems.length === 0 ? 'info' : 'warn']({ problems }, 'the configuration was read again');
  }

  async function waitForLicenses(deployNames: readonly string[]): Promise<void> {
    const endMs = performance.now() + LICENSE_PATIENCE_MS;
    while (
      deployNames.some((name) => licenses.findDecision(name).state === 'CHECKING') &&
      performance.now() < endMs &&
      !stopping.aborted
    ) {
      await delay(LICENSE_POLL_MS);
    }
  }

  return {
    get config() {
      return config;
    },
    get health() {
      return health;
    },
    async take(next) {
      latest = next;
      taking ??= takeAll();
      await taking;
    },
  };
}
