import type { Context } from 'koa';
import { nameWeights } from '../../inference/describe-workers.ts';
import type { ImageService } from '../../inference/service.ts';
import { answerJson } from '../answer.ts';

export interface HealthOptions {
  readonly services: ReadonlyMap<string, ImageService>;
  readonly readLicense: (deployName: string) => LicenseHealth;
  readonly isDraining: () => boolean;
  /** `full` adds what only an administrator should see: files, queues, versions. */
  readonly detail: 'brief' | 'full';
  readonly version: string;
  /** Where the licences lie. */
  readonly licenseFolder: string;
  readonly readConfiguration: () => ConfigurationHealth;
}

/** What is told of the configuration. */
export interface ConfigurationHealth {
  /** When the one in force was read. */
  readonly takenAt: string;
  /** When a later one was read that had mistakes. */
  readonly refusedAt?: string;
  /** What of the latest one does not count, and why. */
  readonly problems: readonly string[];
}

/** What is told of a service's licence. */
export interface LicenseHealth {
  /** Whether the service may answer. */
  readonly isServed: boolean;
  readonly state: string;
  readonly detail: string;
  readonly remedy: string;
  /** Of a trial. */
  readonly leftMs?: number;
  readonly daysLeft: number | undefined;
}

/** `GET /healthz`: the process is alive and its event loop turns. */
export function answerHealth(context: Context): void {
  answerJson(context, '{"status":"alive"}');
}

/** `GET /readyz`: 200 when every service answers, else 503; the body says why not. */
export function createReadinessRoute(options: HealthOptions): (context: Context) => void {
  return (context) => {
    const services = [...options.services.values()];
    const isReady =
      !options.isDraining() &&
      services.every(
        (service) =>
          service.status().state === 'ready' &&
          service.status().hang === undefined &&
          options.readLicense(service.deployName).isServed,
      );
    const body = {
      status: options.isDraining() ? 'draining' : isReady ? 'ready' : 'not ready',
      services: services.map((service) => describeService(service, options)),
      ...(options.detail === 'full'
        ? {
            version: options.version,
            uptimeS: Math.round(process.uptime()),
            licenseFolder: options.licenseFolder,
            configuration: options.readConfiguration(),
          }
        : {}),
    };
    answerJson(context, JSON.stringify(body), {
      status: isReady ? 200 : 503,
      ...(isReady ? {} : { headers: { 'Retry-After': '1' } }),
    });
  };
}

function describeService(service: ImageService, { detail, readLicense }: HealthOptions): object {
  const { deployName, hang, session, model, variant, workers, threads, ...status } =
    service.status();
  const state = hang === undefined ? status.state : 'hung';
  const problems = [...(hang === undefined ? [] : [hang]), ...status.problems];
  const brief = {
    deployName,
    state,
    ...(problems.length > 0 ? { problems } : {}),
    license: describeLicense(readLicense(deployName)),
    ...(session === undefined
      ? {}
      : {
          device: session.device,
          deviceReason: session.deviceReason,
          imaging: session.imaging,
          imagingReason: session.imagingReason,
        }),
    ...(model === undefined ? {} : { model: model.name, modelVersion: model.version }),
    ...(variant === undefined ? {} : { variant: variant.name, variantReason: variant.reason }),
  };
  if (detail === 'brief') {
    return brief;
  }
  const { openRequests, waitingRequests, heldBytes } = service.admission;
  return {
    ...brief,
    modelSha256: model?.sha256,
    variantAgreement: variant?.agreement,
    classCount: session?.classCount,
    ...(session === undefined ? {} : { weights: nameWeights(session.isPrepared) }),
    workers,
    threads,
    openRequests,
    waitingRequests,
    heldBytes,
  };
}

function describeLicense({ state, detail, remedy, daysLeft }: LicenseHealth): object {
  return { state, detail, daysLeft, ...(remedy === '' ? {} : { remedy }) };
}
