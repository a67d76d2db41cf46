import type { RequestListener } from 'node:http';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Manifest } from './catalog/manifest.ts';
import { chooseVariant } from './catalog/variants.ts';
import { composeGate, describeLicense } from './compose-gate.ts';
import type { Config, ServiceConfig } from './config/schema.ts';
import { wireErrors } from './core/errors.ts';
import { createLifecycle } from './core/lifecycle.ts';
import { createLogIdSource } from './core/log-id.ts';
import { type AppOptions, createAdminApp, createServiceApp } from './http/app.ts';
import { createListener, type Listener } from './http/listener.ts';
import type { LicenseHealth } from './http/routes/health.ts';
import { chooseShape } from './inference/parallel-shape.ts';
import { createImageService, type ImageService, type ServiceStatus } from './inference/service.ts';
import type { LicenseGate } from './licensing/gate.ts';
import { type LicenseSources, openLicenseSources } from './licensing/sources.ts';
import { readCpuFeatures } from './platform/cpu-features.ts';
import { hasCudaProvider } from './platform/cuda-provider.ts';
import { readPackageInfo } from './platform/package-info.ts';
import { describeOtherAddress, type PassedSockets } from './systemd/listen-fds.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

/** The whole program, wired and not yet started. */
export interface EdgeInferServer {
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
  /** Reads licences and hardware again. */
  reload(): void;
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

/** Callers wait this long at most in a passed socket while the models load, in ms. */
const HOLD_MS = 10_000;

/** Builds every object from the configuration: the only place where the parts are put together. */
export async function composeServer(
  config: Config,
  log: Logger,
  licenseSources?: LicenseSources,
  { sockets = {}, readDroppedLogLines }: ServerSurroundings = {},
): Promise<EdgeInferServer> {
  const { version } = readPackageInfo();
  const metrics = createMetrics(version, readDroppedLogLines);
  const services = await composeServices(config, log, metrics);
  const licenses = composeGate(services, licenseSources ?? (await openLicenseSources(config)), log);
  const readLicense = (deployName: string) => describeLicense(licenses.findDecision(deployName));
  metrics.readServicesFrom(() =>
    [...services.values()].map((service) => readService(service, readLicense(service.deployName))),
  );

  const stopping = new AbortController();
  const appOptions: AppOptions = {
    services,
    findLicenseRefusal: licenses.findRefusal,
    readLicense,
    licenseFolder: config.license.dir,
    ...config.http,
    nextLogId: createLogIdSource(),
    log,
    metrics,
    version,
    isDraining: () => stopping.signal.aborted,
  };
  const listen = (
    name: keyof PassedSockets,
    { host, port }: Config['admin'],
    portFlag: string,
    app: RequestListener,
  ) =>
    createListener(app, {
      name,
      portFlag,
      host,
      port,
      fd: sockets[name],
      ...config.http,
      nextLogId: appOptions.nextLogId,
      log,
      onDroppedConnection: metrics.countDroppedConnection,
      onProtocolFault: () => metrics.countRequest('', wireErrors.INVALID_ARGUMENT.wireCode),
    });
  const adminListener = listen('admin', config.admin, '--admin.port', createAdminApp(appOptions));
  const serviceListener = listen('service', config, '--port', createServiceApp(appOptions));

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
          const closed = await Promise.all([...services.values()].map((one) => one.close()));
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
      stopTimeoutMs: config.drainTimeoutMs,
      onStopError: (step, error) => log.error({ err: error }, `stopping the ${step} failed`),
    },
  );

  return {
    services,
    licenses,
    reload: licenses.reload,
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
  const serviceLog = log.child({ service: deployName });
  return {
    onReady: ({ session, model, variant, workers, threads }: ServiceStatus) =>
      serviceLog.info(
        {
          ...session,
          model,
          variant: variant?.name,
          variantReason: variant?.reason,
          workers,
          threads,
        },
        'ready',
      ),
    onFailed: ({ problems }: ServiceStatus) => serviceLog.error({ problems }, 'not ready'),
    onWarning: (message: string) => serviceLog.warn(message),
    onHang(hang: string | undefined) {
      if (hang === undefined) {
        serviceLog.warn('the worker that hung answers again');
      } else {
        serviceLog.fatal({ hang }, 'a worker hangs');
      }
    },
    onWorkerDied() {
      metrics?.countWorkerRestart(deployName);
      serviceLog.error('a worker died and is being replaced');
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
