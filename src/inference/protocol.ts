/**
 * What crosses between the main thread and a worker: plain data only, the one file both sides share.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Manifest } from '../catalog/manifest.ts';
import type { Fault } from '../core/errors.ts';
import type { ImagingPreference, ImagingWay } from '../core/imaging-way.ts';
import type { Result } from '../core/result.ts';

export type DevicePreference = 'auto' | 'cpu' | 'cuda';
export type Device = 'cpu' | 'cuda';

/** What a session is loaded from. */
export interface ModelSetup {
  readonly modelFile: string;
  /** An optimised graph with memory-mapped weights, loaded instead of `modelFile` on the CPU. */
  readonly preparedFile: string | undefined;
  readonly manifest: Manifest;
  readonly device: DevicePreference;
  /** On which a session on the CPU runs. */
  readonly threads: number;
  /** The only device that the graph is right on, whatever the preference may find. */
  readonly needsDevice?: 'cpu' | undefined;
}

/** Given to a worker when its thread starts. */
export interface WorkerSetup extends ModelSetup {
  readonly imaging: ImagingPreference;
}

/** Asks an idle worker for a sign of life. */
export interface Ping {
  readonly kind: 'ping';
}

export type WorkerTask =
  /** A request's raw body, `body[0..byteLength)`: shared, so that it survives the worker's death. */
  | { readonly kind: 'request'; readonly body: SharedArrayBuffer; readonly byteLength: number }
  /** An image file's bytes, for the command line and for golden examples. */
  | {
      readonly kind: 'image';
      readonly image: Uint8Array<ArrayBuffer>;
      readonly topCount: number;
      /** Asks for the crop's pixels in the reply. */
      readonly returnsCrop?: boolean;
    }
  | TensorTask;

/** The model's input as it is, to try what the manifest does not say. */
export interface TensorTask {
  readonly kind: 'tensor';
  /** One image's elements in the input's type and layout, float16 as its bits. */
  readonly elements: Float32Array | Uint16Array | Uint8Array;
  /** In place of the manifest's. */
  readonly activation: Manifest['output']['activation'];
  readonly topCount: number;
}

/** A loaded session, as the worker found it. */
export interface SessionDescription {
  readonly device: Device;
  /** Why this device: what was found, or what was missing for the other. */
  readonly deviceReason: string;
  readonly classCount: number;
  /** Whether the weights are mapped from the prepared form, and so held once for all workers. */
  readonly isPrepared: boolean;
}

/** How a worker prepares images, as it found. */
interface ImagingDescription {
  readonly imaging: ImagingWay;
  /** Why this way: what was found, or what was missing for the other. */
  readonly imagingReason: string;
}

export interface WorkerDescription extends SessionDescription, ImagingDescription {}

/** Milliseconds of wall time spent in the worker, by stage. */
export interface WorkerTimings {
  base64Ms?: number;
  decodeMs?: number;
  resampleMs?: number;
  runMs?: number;
  rankMs?: number;
}

export interface ImageFacts {
  readonly format: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

/** The best classes in falling order of score: `classIndexes[i]` scored `scores[i]`. */
export interface Ranking {
  readonly classIndexes: number[];
  /** Float32 values, exact as doubles. */
  readonly scores: number[];
}

/** What the tensor was made of: `data[(y * width + x) * channels + c]`, red first. */
interface Crop {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

export interface ClassifyReply {
  readonly outcome: Result<Ranking, Fault>;
  readonly timings: WorkerTimings;
  readonly image?: ImageFacts;
  /** SHA-256 of the uint8 crop `[H, W, C]`; only for tasks of kind `image`. */
  readonly cropSha256?: string;
  /** Its pixels, where the task asked for them. */
  readonly crop?: Crop;
}

/** What a thread works on for as long as it lives: tasks that come over a port of their own. */
export interface ServeTask {
  readonly port: MessagePort;
  /** Whether it takes a dead worker's place: then it tries to load the model until it can. */
  readonly isReplacement: boolean;
}

/** How an attempt to load the model went: what was loaded, or a sentence for the operator. */
export type WorkerLoad = Result<WorkerDescription, string>;

/** What a worker sends over that port: replies to tasks only once a `load` of its went well. */
export type WorkerMessage =
  | { readonly kind: 'load'; readonly load: WorkerLoad }
  | { readonly kind: 'pong' }
  | { readonly kind: 'reply'; readonly reply: ClassifyReply };

/** Given to the process that writes a model's prepared form into an empty folder. */
export interface PrepareTask {
  readonly modelFile: string;
  readonly manifest: Manifest;
  readonly targetFolder: string;
  /** Stores matrices rearranged for their kernels as well, so that workers share these too. */
  readonly storesPackedMatrices: boolean;
}

/** What that process answers; it may also die of the form that it tries. */
export type PrepareOutcome = Result<
  true,
  {
    readonly reason: string;
    /** The form was written, but does not do what the model's own file does. */
    readonly isFormWrong: boolean;
  }
>;
