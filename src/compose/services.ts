import { availableParallelism } from 'node:os';
import type { Manifest } from '../catalog/manifest.ts';
import { chooseVariant } from '../catalog/variants.ts';
import type { Config, ServiceConfig } from '../config/schema.ts';
import type { LicenseHealth } from '../http/routes/health.ts';
import { chooseShape } from '../inference/parallel-shape.ts';
import { createImageService, type ImageService } from '../inference/service.ts';
import type { ServiceStatus } from '../inference/service-status.ts';
import { readCpuFeatures } from '../platform/cpu-features.ts';
import { hasCudaProvider } from '../platform/cuda-provider.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics, ServiceReading } from '../telemetry/metrics.ts';

/** By deploy name. */
export type Services = ReadonlyMap<string, ImageService>;

/** Builds the services of a configuration; they have not begun to load. */
export async function composeServices(
  config: Config,
  log: Logger,
  metrics?: Metrics,
): Promise<Services> {
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

/** What the metrics say of a service. */
export function readService(service: ImageService, license: LicenseHealth): ServiceReading {
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
