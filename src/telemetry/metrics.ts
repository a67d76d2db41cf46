import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { wireErrors } from '../core/errors.ts';
import { createDurationHistogram, type Observe } from './duration-histogram.ts';

/** The stages of a request, in its order. */
export const STAGES = ['receive', 'wait', 'base64', 'decode', 'resample', 'run', 'rank'] as const;

/** Milliseconds by stage, of those that a request came to. */
export type StagesMs = Partial<Record<(typeof STAGES)[number], number | undefined>>;

/** What is read from a service when the metrics are collected. */
export interface ServiceReading {
  readonly deployName: string;
  readonly isReady: boolean;
  /** Whether one of its workers hangs. */
  readonly isHung: boolean;
  readonly openRequests: number;
  readonly waitingRequests: number;
  readonly heldBytes: number;
  readonly device: string;
  readonly imaging: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
  readonly variant: string;
  /** As `edge-infer license status` names it. */
  readonly licenseState: string;
  /** Seconds until a trial ends; undefined where nothing ends. */
  readonly licenseLeftS: number | undefined;
}

export interface Metrics {
  /** Counts an answered request; `service` is empty when none was addressed. */
  countRequest(service: string, code: number): void;
  observeStages(service: string, stagesMs: StagesMs): void;
  /** The whole of an answered request. */
  observeDuration(service: string, milliseconds: number): void;
  countWorkerRestart(service: string): void;
  /** Ends the series of a service that is served no longer. */
  forgetService(service: string): void;
  /** A connection refused because there were too many. */
  countDroppedConnection(): void;
  /** Names where the state of the services is read from at each collection. */
  readServicesFrom(read: () => readonly ServiceReading[]): void;
  /** Everything in Prometheus' text format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A service's series, each made when it is first observed. */
interface ServiceObservers {
  readonly stages: Partial<Record<keyof StagesMs, Observe>>;
  whole?: Observe;
}

// Seconds; from a fraction of a millisecond (ranking) to the longest deadlines.
const BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
];

/** All that a request can be counted by. */
const CODES = [0, ...Object.values(wireErrors).map(({ wireCode }) => wireCode)];

// prom-client's own, 10 ms, wakes the main thread so often that it costs 3 ms of CPU time a second.
const EVENT_LOOP_SAMPLING_MS = 100;

/**
 * Creates the metrics, each named `edge_infer_*`, beside the runtime's own (event-loop lag, memory).
 * `readDroppedLogLines` is asked at each collection.
 */
export function createMetrics(
  version: string,
  readDroppedLogLines: () => number = () => 0,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS,
  });

  const requests = new Counter({
    name: 'edge_infer_requests_total',
    help: 'Answered requests by service and wire code (0 is success).',
    labelNames: ['service', 'code'],
    registers,
  });
  const stageDurations = createDurationHistogram(registry, {
    name: 'edge_infer_stage_duration_seconds',
    help: 'Wall time of the stages of a request.',
    bucketsS: BUCKETS_S,
  });
  const durations = createDurationHistogram(registry, {
    name: 'edge_infer_request_duration_seconds',
    help: 'Wall time of a request from its headers to its answer.',
    bucketsS: BUCKETS_S,
  });
  const restarts = new Counter({
    name: 'edge_infer_worker_restarts_total',
    help: 'Workers that died and were replaced.',
    labelNames: ['service'],
    registers,
  });
  const dropped = new Counter({
    name: 'edge_infer_connections_dropped_total',
    help: 'Connections refused because http.maxConnections were open.',
    registers,
  });
  new Counter({
    name: 'edge_infer_log_lines_dropped_total',
    help: 'Lines of the log that are lost because the journal did not take them.',
    registers,
    collect() {
      this.reset();
      this.inc(readDroppedLogLines());
    },
  });
  new Gauge({
    name: 'edge_infer_build_info',
    help: 'Constant 1, labelled with the version.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);

  let readServices: () => readonly ServiceReading[] = () => [];
  const gauge = (name: string, help: string, read: (reading: ServiceReading) => number) =>
    new Gauge({
      name: `edge_infer_${name}`,
      help,
      labelNames: ['service'],
      registers,
      collect() {
        this.reset();
        for (const reading of readServices()) {
          this.set({ service: reading.deployName }, read(reading));
        }
      },
    });
  gauge('service_ready', '1 when the service answers.', (reading) => Number(reading.isReady));
  gauge('service_hung', '1 while one of its workers hangs.', (reading) => Number(reading.isHung));
  gauge('open_requests', 'Requests being received, waiting or worked on.', (r) => r.openRequests);
  gauge('queue_requests', 'Requests waiting for a worker.', (reading) => reading.waitingRequests);
  gauge('queue_bytes', 'Bytes of memory held for request bodies.', (reading) => reading.heldBytes);
  new Gauge({
    name: 'edge_infer_service_info',
    help: 'Constant 1, labelled with the model, its variant and what runs it and prepares its images.',
    labelNames: [
      'service',
      'model',
      'model_version',
      'model_sha256',
      'variant',
      'device',
      'imaging',
    ],
    registers,
    collect() {
      this.reset();
      for (const reading of readServices()) {
        this.set(
          {
            service: reading.deployName,
            model: reading.model,
            model_version: reading.modelVersion,
            model_sha256: reading.modelSha256,
            variant: reading.variant,
            device: reading.device,
            imaging: reading.imaging,
          },
          1,
        );
      }
    },
  });

  new Gauge({
    name: 'edge_infer_license_state',
    help: "Constant 1, labelled with the state of the service's licence.",
    labelNames: ['service', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { deployName, licenseState } of readServices()) {
        this.set({ service: deployName, state: licenseState }, 1);
      }
    },
  });
  new Gauge({
    name: 'edge_infer_license_expiry_seconds',
    help: "Seconds until the service's trial ends; no series for a permanent licence.",
    labelNames: ['service'],
    registers,
    collect() {
      this.reset();
      for (const { deployName, licenseLeftS } of readServices()) {
        if (licenseLeftS !== undefined) {
          this.set({ service: deployName }, licenseLeftS);
        }
      }
    },
  });

  const observers = new Map<string, ServiceObservers>();
  function observersOf(service: string): ServiceObservers {
    let found = observers.get(service);
    if (found === undefined) {
      found = { stages: {} };
      observers.set(service, found);
    }
    return found;
  }

  return {
    countRequest: (service, code) => requests.inc({ service, code }),
    observeStages(service, stagesMs) {
      const { stages } = observersOf(service);
      for (const stage of STAGES) {
        const milliseconds = stagesMs[stage];
        if (milliseconds !== undefined) {
          stages[stage] ??= stageDurations.begin({ service, stage });
          stages[stage](milliseconds);
        }
      }
    },
    observeDuration(service, milliseconds) {
      const found = observersOf(service);
      found.whole ??= durations.begin({ service });
      found.whole(milliseconds);
    },
    countWorkerRestart: (service) => restarts.inc({ service }),
    forgetService(service) {
      for (const code of CODES) {
        requests.remove({ service, code });
      }
      restarts.remove({ service });
      observers.delete(service);
      stageDurations.forget(service);
      durations.forget(service);
    },
    countDroppedConnection: () => dropped.inc(),
    readServicesFrom(read) {
      readServices = read;
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
