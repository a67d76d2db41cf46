import type { Config } from '../config/schema.ts';
import { createLifecycle } from '../core/lifecycle.ts';
import { createLogIdSource } from '../core/log-id.ts';
import { type AppOptions, createAdminApp, createServiceApp } from '../http/app.ts';
import type { Listener } from '../http/listener.ts';
import type { ConfigurationHealth } from '../http/routes/health.ts';
import type { LicenseGate } from '../licensing/gate.ts';
import { type LicenseSources, openLicenseSources } from '../licensing/sources.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import type { PassedSockets } from '../systemd/listen-fds.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createAddresses } from './addresses.ts';
import { composeGate, describeLicense } from './license-gate.ts';
import { createReloader, type ReadConfig } from './reload.ts';
import { composeServices, readService, type Services } from './services.ts';
import { createServicesInUse } from './services-in-use.ts';

/** The whole program, wired and not yet started. */
export interface EdgeInferServer {
  /** By deploy name; others after a reload. */
  readonly services: Services;
  /** Which workers hang, a sentence each. */
  readonly hangs: readonly string[];
  /**
   * Begins to load the models and opens both addresses; throws an OperatorError when a port is
   * taken. A service socket that was passed is opened last: see `Addresses`.
   */
  start(): Promise<void>;
  /** What each service's licence is worth now. */
  readonly licenses: Pick<LicenseGate, 'findDecision'>;
  /** Resolves when every model is ready or has failed. */
  readonly settled: Promise<void>;
  /** Resolves when besides every licence was checked. */
  readonly loaded: Promise<void>;
  /** Where passed sockets listen elsewhere than the configuration says, and what to do. */
  readonly addressWarnings: readonly string[];
  /** Where requests are answered; only once started. */
  readonly address: Listener['address'];
  readonly servicePort: number;
  readonly adminPort: number;
  /** In force. */
  readonly config: Config;
  readonly configuration: ConfigurationHealth;
  /** Reads licences and hardware again, and takes a configuration: see `Reloader`. */
  reload(next: ReadConfig): Promise<void>;
  /**
   * Ends what has begun, refuses nothing that arrives meanwhile, and closes; never throws. With
   * `left`, a worker hangs and only a signal ends the process.
   */
  stop(): Promise<'ended' | 'left'>;
}

/** What only a process of its own has. */
export interface ServerSurroundings {
  readonly sockets?: PassedSockets;
  /** Lines of the log that could not be written, so far. */
  readonly readDroppedLogLines?: () => number;
}

/** Builds every object from the configuration: the only place where the parts are put together. */
export async function composeServer(
  startConfig: Config,
  log: Logger,
  licenseSources?: LicenseSources,
  { sockets = {}, readDroppedLogLines }: ServerSurroundings = {},
): Promise<EdgeInferServer> {
  const { version } = readPackageInfo();
  const metrics = createMetrics(version, readDroppedLogLines);
  const make = (config: Config) => composeServices(config, log, metrics);
  const services = createServicesInUse(await make(startConfig), metrics.forgetService);
  const licenses = composeGate(
    () => services.known,
    licenseSources ?? (await openLicenseSources(startConfig)),
    log,
  );
  const readLicense = (deployName: string) => describeLicense(licenses.findDecision(deployName));
  metrics.readServicesFrom(() =>
    [...services.served].map(([name, service]) => readService(service, readLicense(name))),
  );

  const stopping = new AbortController();
  const settled = Promise.withResolvers<void>();
  const loaded = Promise.withResolvers<void>();
  let isWorkerLeft = false;

  const reloader = createReloader({
    startConfig,
    sockets,
    services,
    make,
    licenses,
    settled: settled.promise,
    stopping: stopping.signal,
    adopt(config) {
      log.level = config.log.level;
      apps = createApps(config);
      addresses.adopt(config);
    },
    log,
  });

  const nextLogId = createLogIdSource();
  function createApps({ http }: Config) {
    const options: AppOptions = {
      services: services.served,
      findLicenseRefusal: licenses.findRefusal,
      readLicense,
      licenseFolder: startConfig.license.dir,
      ...http,
      nextLogId,
      log,
      metrics,
      version,
      isDraining: () => stopping.signal.aborted,
      readConfiguration: () => reloader.health,
    };
    return { admin: createAdminApp(options), service: createServiceApp(options) };
  }
  // Made anew by a reload; a request stays with those that it came to.
  let apps = createApps(startConfig);
  const addresses = createAddresses({
    config: startConfig,
    sockets,
    findHandler: (name) => apps[name],
    nextLogId,
    log,
    metrics,
  });
  const { admin, service } = addresses.listeners;

  const lifecycle = createLifecycle(
    [
      {
        name: 'services',
        start() {
          // Not awaited: while the models load, callers are told so.
          const loading = [...services.served.values()].map((one) => one.load());
          const checking = licenses.start();
          settled.resolve(Promise.all(loading).then(() => undefined));
          loaded.resolve(Promise.all([checking, settled.promise]).then(() => undefined));
        },
        stop: async (deadline) => {
          isWorkerLeft = (await services.close()) === 'left';
          await licenses.stop(deadline);
        },
      },
      { name: 'admin listener', start: () => addresses.open('admin'), stop: admin.drain },
      {
        name: 'service listener',
        start: () => addresses.openServiceOnce(loaded.promise, stopping.signal),
        stop: service.drain,
      },
    ],
    {
      get stopTimeoutMs() {
        return reloader.config.drainTimeoutMs;
      },
      onStopError: (step, error) => log.error({ err: error }, `stopping the ${step} failed`),
    },
  );

  return {
    get services() {
      return services.served;
    },
    get hangs() {
      return services.hangs;
    },
    get config() {
      return reloader.config;
    },
    get configuration() {
      return reloader.health;
    },
    licenses,
    reload(next) {
      licenses.reload();
      return reloader.take(next);
    },
    start: lifecycle.start,
    settled: settled.promise,
    loaded: loaded.promise,
    get addressWarnings() {
      return addresses.warnings;
    },
    get address() {
      return service.address;
    },
    get servicePort() {
      return service.address.port;
    },
    get adminPort() {
      return admin.address.port;
    },
    async stop() {
      stopping.abort();
      await lifecycle.stop();
      return isWorkerLeft ? 'left' : 'ended';
    },
  };
}
