/** What a run of `edge-infer bench` found out; `--json` prints it as it is, on one line. */
export interface BenchReport {
  /** When the run began, ISO 8601 in UTC. */
  readonly date: string;
  /** False after Ctrl-C or a failure: `steps` holds what was measured until then. */
  readonly isComplete: boolean;
  readonly host: HostFacts;
  readonly service: ServiceFacts;
  readonly load: LoadFacts;
  /** In order of callers, those of the search for the budget among them. */
  readonly steps: readonly StepReport[];
  /** With `--budget`, once the search has ended. */
  readonly budget?: BudgetVerdict;
  /** The sentence for people. */
  readonly conclusion: string;
}

export interface HostFacts {
  readonly cpu: string;
  readonly processors: number;
  /** What affinity and the cgroup's quota leave of them. */
  readonly usableProcessors: number;
  readonly memoryMib: number;
  readonly system: string;
  readonly edgeInfer: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** As the server's own `/readyz` tells it. */
export interface ServiceFacts {
  readonly deployName: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
  readonly workers: number;
  /** On which each worker runs the model. */
  readonly threads: number;
  readonly device: string;
  readonly deviceReason: string;
  /** Which variant of the model runs. */
  readonly variant: string;
  readonly variantReason: string;
  /** Which way images are decoded and resampled. */
  readonly imaging: string;
  readonly imagingReason: string;
}

export interface LoadFacts {
  /** How many different images are sent, in turn. */
  readonly images: number;
  readonly smallestRequestBytes: number;
  readonly largestRequestBytes: number;
  /** Images of `--images` that take no part, and why. */
  readonly refusedImages: readonly RefusedImage[];
  readonly durationS: number;
}

export interface RefusedImage {
  readonly file: string;
  /** The service's error code, or the system's name, such as `EACCES`. */
  readonly code: number | string;
  readonly detail: string;
}

/** A number of callers, each of which sends its next request when its answer has come. */
export interface StepReport {
  readonly callers: number;
  readonly seconds: number;
  /** Requests that were answered with classes; every figure below is of these. */
  readonly answered: number;
  readonly failed: number;
  /** How many failed for which reason: the service's error code, or words such as `hung up`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly requestsPerSecond: number;
  /** As the callers see it, from sending the first byte to having the last one. */
  readonly latencyMs: Latencies;
  /** CPU time of the server's process, all threads. */
  readonly cpuMsPerRequest: number;
  /** CPU time of this command, which sends the requests. */
  readonly callersCpuMsPerRequest: number;
  /** Processors' worth of CPU time that anything else on this host took; absent where unknown. */
  readonly otherProcessors?: number;
  readonly memoryMib: Memory;
  /** Mean of each stage, as the server measures it, and `other`: the rest of the mean latency. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

export interface Latencies {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Of the server's process, in MiB, at the end of the step. */
interface Memory {
  readonly resident: number;
  /** As `resident`, without what it shares with other processes; Linux only. */
  readonly proportional?: number;
  /** The highest `resident` since the process started. */
  readonly peak: number;
}

export interface BudgetVerdict {
  readonly p99Ms: number;
  /** The most callers for which no request failed and p99 was within the budget; 0 for none. */
  readonly callers: number;
  /** That so many were measured without meeting the budget's end: more callers may fit. */
  readonly isAtLeast: boolean;
}
