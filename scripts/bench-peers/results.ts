import type { ModelFile } from './peer.ts';

/** All that a run found, as it is kept in `results.json`. */
export interface Results {
  /** `YYYY-MM-DD` */
  readonly date: string;
  readonly machine: string;
  readonly photos: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly trials: readonly Trial[];
  /** Peers and models without a row, and why. */
  readonly leftOut: readonly { readonly title: string; readonly reason: string }[];
}

/** One server with one model: medians of the rounds. */
export interface Row {
  readonly title: string;
  readonly variant: ModelFile['variant'];
  /** `NAME VERSION` */
  readonly versions: readonly string[];
  readonly configuration: string;
  readonly loads: readonly Load[];
  /** From starting the process to its first right answer, files in the page cache. */
  readonly startMs: number;
  /** Resident at the end in all its processes, pages that they share counted once. */
  readonly memoryBytes: number;
  /** Said under the table: why answers differ, that it was halted between its turns. */
  readonly remarks: readonly string[];
}

/** A short measurement of one configuration, by which the one to measure was chosen. */
export interface Trial {
  readonly title: string;
  readonly configuration: string;
  readonly loads: readonly Load[];
  readonly chosen: boolean;
}

export interface Load {
  readonly callers: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of all the server's processes, a request. */
  readonly cpuMs: number;
  /** CPU time of the callers, a request; not in `cpuMs`. */
  readonly callerCpuMs: number;
}
