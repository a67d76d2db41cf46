import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Manifest } from './catalog/manifest.ts';
import { chooseVariant } from './catalog/variants.ts';
import { composeGate, describeLicense } from './compose-gate.ts';
import type { Config, ServiceConfig } from './config/schema.ts';
import { wireErrors } from './core/errors.ts';
import { createLifecycle } from './core/lifecycle.ts';
import { createLogIdSource } from './core/log-id.ts';
import type { Result } from './core/result.ts';
import { type AppOptions, createAdminApp, createServiceApp } from './http/app.ts';
import { createListener, type Listener } from './http/listener.ts';
import type { ConfigurationHealth, LicenseHealth } from './http/routes/health.ts';
import { chooseShape } from './inference/parallel-shape.ts';
import { createImageService, type ImageService, type ServiceStatus } from './inference/service.ts';
import type { LicenseGate } from './licensing/gate.ts';
import { type LicenseSources, openLicenseSources } from './licensing/sources.ts';
import { readCpuFeatures } from './platform/cpu-features.ts';
import { hasCudaProvider } from './platform/cuda-provider.ts';
import { readPackageInfo } from './platform/package-info.ts';
import { listRestartKeys, renewServices, retireService } from './reload-services.ts';
import { describeOtherAddress, type PassedSockets } from './systemd/listen-fds.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

/** The whole program, wired and not yet started. */
export interface EdgeInferServer {
  /** By deploy name; others after a reload. */
  readonly services: ReadonlyMap<string, ImageService>;
  /**
   * Begins to load the models and opens both addresses; throws an OperatorError when a port is
   * taken. A service socket that was passed is opened last: see `openWhenLoaded`.
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
  /**
   * Reads licences and hardware again, and takes a new configuration, or notes what is wrong with
   * it. Resolves when that is done; never rejects.
   */
  reload(next?: Result<Config, readonly string[]>): Promise<void>;
  /**
   * Ends what has begun, refuses nothing that arrives meanwhile, and closes; never throws. With
   * `left`, a worker hangs and only a signal ends the process.
   */
  stop(): Promise<'ended' | 'left'>;
}

/** A new service is asked for only once its licence was judged, which takes a second at most. */
const LICENSE_PATIENCE_MS = 5_000;
const LICENSE_POLL_MS = 20;

/** What only a process of its own has. */
export interface ServerSurroundings {
  readonly sockets?: PassedSockets;
  /** Lines of the log that could not be written, so far. */
  readonly readDroppedLogLines?: () => number;
}

/** Callers wait this long at most in a passed socket while the models load, in ms. */
const HOLD_MS = 10_000;

/** Builds every object from the configuration: the only place where the parts are put together. */
export async function composeServer(
  startConfig: Config,
  log: Logger,
  licenseSources?: LicenseSources,
  { sockets = {}, readDroppedLogLines }: ServerSurroundings = {},
): Promise<EdgeInferServer> {
  const { version } = readPackageInfo();
  const metrics = createMetrics(version, readDroppedLogLines);
  let config = startConfig;
  let services = await composeServices(config, log, metrics);
  /** Services that a reload has loaded and not yet put to use: their licences are judged before. */
  let awaited: ReadonlyMap<string, ImageService> = new Map();
  const retiring = new Set<ImageService>();
  const licenses = composeGate(
    () => new Map([...services, ...awaited]),
    licenseSources ?? (await openLicenseSources(config)),
    log,
  );
  const readLicense = (deployName: string) => describeLicense(licenses.findDecision(deployName));
  metrics.readServicesFrom(() =>
    [...services.values()].map((service) => readService(service, readLicense(service.deployName))),
  );

  const stopping = new AbortController();
  const nextLogId = createLogIdSource();
  let configuration: ConfigurationHealth = { takenAt: new Date().toISOString(), problems: [] };
  const createApps = () => {
    const options: AppOptions = {
      services,
      findLicenseRefusal: licenses.findRefusal,
      readLicense,
      licenseFolder: startConfig.license.dir,
      ...config.http,
      nextLogId,
      log,
      metrics,
      version,
      isDraining: () => stopping.signal.aborted,
      readConfiguration: () => configuration,
    };
    return { admin: createAdminApp(options), service: createServiceApp(options) };
  };
  // Made anew by a reload; a request stays with those that it came to.
  let apps = createApps();
  const listen = (name: keyof PassedSockets, { host, port }: Config['admin'], portFlag: string) =>
    createListener((request, response) => apps[name](request, response), {
      name,
      portFlag,
      host,
      port,
      fd: sockets[name],
      ...config.http,
      nextLogId,
      log,
      onDroppedConnection: metrics.countDroppedConnection,
      onProtocolFault: () => metrics.countRequest('', wireErrors.INVALID_ARGUMENT.wireCode),
    });
  const adminListener = listen('admin', config.admin, '--admin.port');
  const serviceListener = listen('service', config, '--port');

  const allSettled = Promise.withResolvers<void>();
  const allLoaded = Promise.withResolvers<void>();
  const addressWarnings: string[] = [];
  let isWorkerLeft = false;

  async function open(
    name: keyof PassedSockets,
    listener: Listener,
    configured: Config['admin'],
  ): Promise<void> {
    await listener.start();
    const isPassed = sockets[name] !== undefined;
    const warning = isPassed && describeOtherAddress(name, configured, listener.address);
    if (warning) {
      addressWarnings.push(warning);
      log.warn(warning);
    }
  }

  /**
   * Callers wait in a passed socket rather than being told that the model is loading: so a restart
   * refuses nobody. Not for long, because one who waits does not know for what.
   */
  async function openWhenLoaded(): Promise<void> {
    if (sockets.service !== undefined) {
      const { signal } = stopping;
      await Promise.race([
        allLoaded.promise,
        delay(HOLD_MS, undefined, { signal }).catch(() => undefined), // stopped meanwhile
      ]);
    }
    if (!stopping.signal.aborted) {
      await open('service', serviceListener, config);
    }
  }

  const lifecycle = createLifecycle(
    [
      {
        name: 'services',
        start() {
          // Not awaited: while the models load, callers are told so.
          const loading = [...services.values()].map((service) => service.load());
          const checking = licenses.start();
          allSettled.resolve(Promise.all(loading).then(() => undefined));
          allLoaded.resolve(Promise.all([checking, allSettled.promise]).then(() => undefined));
        },
        stop: async (deadline) => {
          const all = new Set([...services.values(), ...awaited.values(), ...retiring]);
          const closed = await Promise.all([...all].map((service) => service.close()));
          isWorkerLeft = closed.includes('left');
          await licenses.stop(deadline);
        },
      },
      {
        name: 'admin listener',
        start: () => open('admin', adminListener, config.admin),
        stop: adminListener.drain,
      },
      { name: 'service listener', start: openWhenLoaded, stop: serviceListener.drain },
    ],
    {
      get stopTimeoutMs() {
        return config.drainTimeoutMs;
      },
      onStopError: (step, error) => log.error({ err: error }, `stopping the ${step} failed`),
    },
  );

  /** Loads what is new beside what is served, and only then takes it into use. */
  async function takeConfig(next: Config): Promise<void> {
    await allSettled.promise;
    const restartKeys = listRestartKeys(startConfig, next);
    const lasting = { ...next, stateDir: startConfig.stateDir, license: startConfig.license };
    const renewed = await renewServices(services, config, lasting, async (some) => {
      awaited = await composeServices(some, log, metrics);
      return awaited;
    });
    await waitForLicenses([...renewed.services.keys()]);
    if (stopping.signal.aborted) {
      return; // the stop has closed them
    }
    config = { ...lasting, services: renewed.configs };
    services = renewed.services;
    awaited = new Map();
    log.level = config.log.level;
    apps = createApps();
    adminListener.adopt(config.http);
    serviceListener.adopt(config.http);
    for (const service of renewed.retired) {
      retiring.add(service);
      void retireService(service, config.drainTimeoutMs).then(() => retiring.delete(service));
    }
    configuration = {
      takenAt: new Date().toISOString(),
      problems: [
        ...renewed.problems,
        ...(restartKeys.length === 0
          ? []
          : [`counts from the next start: ${restartKeys.join(', ')}`]),
      ],
    };
    const { problems } = configuration;
    log[problems.length === 0 ? 'info' : 'warn']({ problems }, 'the configuration was read again');
  }

  async function waitForLicenses(deployNames: readonly string[]): Promise<void> {
    const endMs = performance.now() + LICENSE_PATIENCE_MS;
    while (
      deployNames.some((name) => licenses.findDecision(name) === undefined) &&
      performance.now() < endMs &&
      !stopping.signal.aborted
    ) {
      await delay(LICENSE_POLL_MS);
    }
  }

  let reloading = Promise.resolve();
  function reload(next?: Result<Config, readonly string[]>): Promise<void> {
    licenses.reload();
    if (next?.ok === true) {
      reloading = reloading
        .then(() => takeConfig(next.value))
        .catch((error: unknown) => log.error({ err: error }, 'the reload failed'));
    } else if (next !== undefined) {
      const problems = ['the new configuration has mistakes and was not taken', ...next.error];
      configuration = { ...configuration, refusedAt: new Date().toISOString(), problems };
      log.error({ problems: next.error }, 'the configuration has mistakes; all goes on as before');
    }
    return reloading;
  }

  return {
    get services() {
      return services;
    },
    get config() {
      return config;
    },
    get configuration() {
      return configuration;
    },
    licenses,
    reload,
    start: lifecycle.start,
    settled: allSettled.promise,
    loaded: allLoaded.promise,
    addressWarnings,
    get address() {
      return serviceListener.address;
    },
    get servicePort() {
      return serviceListener.address.port;
    },
    get adminPort() {
      return adminListener.address.port;
    },
    async stop() {
      stopping.abort();
      await lifecycle.stop();
      return isWorkerLeft ? 'left' : 'ended';
    },
  };
}

/** Builds the services alone, for commands that classify without HTTP. */
export async function composeServices(
  config: Config,
  log: Logger,
  metrics?: Metrics,
): Promise<ReadonlyMap<string, ImageService>> {
  const { runtimeVersion } = readPackageInfo();
  const cpuFeatures = await readCpuFeatures();
  const host = { cpuFeatures, hasCudaProvider: hasCudaProvider() };
  return new Map(
    config.services.map((service) => {
      const options = {
        ...service,
        modelsDir: config.modelsDir,
        imaging: config.imaging,
        stateDir: config.stateDir,
        ...chooseShape(service, availableParallelism()),
        runtimeVersion,
        cpuFeatures: cpuFeatures.join(' '),
        chooseVariant: (manifest: Manifest) =>
          chooseVariant(manifest, service.variant, { ...host, device: service.device }),
      };
      return [service.deployName, createImageService(options, observe(service, log, metrics))];
    }),
  );
}

function observe({ deployName }: ServiceConfig, log: Logger, metrics: Metrics | undefined) {
  const service = deployName; // not a child logger, which would keep its level over a reload
  return {
    onReady: ({ session, model, variant, workers, threads }: ServiceStatus) =>
      log.info(
        {
          service,
          ...session,
          model,
          variant: variant?.name,
          variantReason: variant?.reason,
          workers,
          threads,
        },
        'ready',
      ),
    onFailed: ({ problems }: ServiceStatus) => log.error({ service, problems }, 'not ready'),
    onWarning: (message: string) => log.warn({ service }, message),
    onHang(hang: string | undefined) {
      if (hang === undefined) {
        log.warn({ service }, 'the worker that hung answers again');
      } else {
        log.fatal({ service, hang }, 'a worker hangs');
      }
    },
    onWorkerDied() {
      metrics?.countWorkerRestart(deployName);
      log.error({ service }, 'a worker died and is being replaced');
    },
  };
}

function readService(service: ImageService, license: LicenseHealth) {
  const { deployName, state, hang, session, model, variant } = service.status();
  const { openRequests, waitingRequests, heldBytes } = service.admission;
  return {
    deployName,
    isReady: state === 'ready' && hang === undefined,
    isHung: hang !== undefined,
    openRequests,
    waitingRequests,
    heldBytes,
    device: session?.device ?? 'none',
    imaging: session?.imaging ?? 'none',
    model: model?.name ?? '',
    modelVersion: model?.version ?? '',
    modelSha256: model?.sha256 ?? '',
    variant: variant?.name ?? '',
    licenseState: license.state,
    licenseLeftS: license.leftMs === undefined ? undefined : Math.round(license.leftMs / 1000),
  };
}
