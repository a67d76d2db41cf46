import {
  type ChooseVariant,
  findModelFolder,
  loadModelPackage,
  type ModelPackage,
} from '../catalog/model-package.ts';
import { stampModelFolder } from '../catalog/model-stamp.ts';
import { type Fault, fault } from '../core/errors.ts';
import type { ImagingPreference } from '../core/imaging-way.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type Admission, createAdmission, type Ticket } from './admission.ts';
import { findClassNames } from './class-names.ts';
import { describeChange, describeFirstWorkers, viewWorkers } from './describe-workers.ts';
import { runGoldenExamples } from './golden.ts';
import { findHangLimits } from './hang-watch.ts';
import { createWorkerPool, type WorkerPool } from './pool.ts';
import { findPreparedFile } from './prepare-model.ts';
import type {
  ClassifyReply,
  DevicePreference,
  TensorTask,
  WorkerDescription,
  WorkerLoad,
} from './protocol.ts';
import { runTwice, waitForAbort } from './run-twice.ts';
import { type ServiceStatus, withWorkers } from './service-status.ts';

export interface ServiceOptions {
  readonly deployName: string;
  /** A folder name under `modelsDir`, or a path. */
  readonly model: string;
  /** Of the class names; undefined for the model's first. */
  readonly language?: string | undefined;
  readonly modelsDir: string;
  readonly stateDir: string;
  /** The reference when absent. */
  readonly chooseVariant?: ChooseVariant;
  readonly device: DevicePreference;
  readonly imaging: ImagingPreference;
  readonly workers: number;
  /** On which each worker runs the model. */
  readonly threads: number;
  readonly deadlineMs: number;
  readonly queue: { readonly maxRequests: number; readonly maxBytes: number };
  /** What a prepared graph depends on beside the model. */
  readonly runtimeVersion: string;
  readonly cpuFeatures: string;
}

/** Told of what happens to a service, for the log and the metrics. */
export interface ServiceObserver {
  onReady(status: ServiceStatus): void;
  onFailed(status: ServiceStatus): void;
  onWarning(message: string): void;
  onWorkerDied(): void;
  /** A worker that hangs, as a sentence; undefined: it answers again. */
  onHang(hang: string | undefined): void;
}

export interface ServiceReply extends ClassifyReply {
  readonly waitMs: number;
}

/** One deploy name: a model, its workers and who may use them. */
export interface ImageService {
  readonly deployName: string;
  readonly admission: Admission;
  /** Loads the model and proves it on its golden examples. Never rejects: see `status`. */
  load(proof?: 'golden' | 'none'): Promise<void>;
  status(): ServiceStatus;
  /** A place in the queue, or why there is none. */
  admit(): Result<Ticket, Fault>;
  /** Class names in class order, in the service's language. */
  readonly classNames: readonly string[];
  /**
   * Classifies a request body of `byteLength` bytes in `body`. The ticket is closed when the last
   * worker is done with that memory, which may be after a deadline has answered the caller.
   * `givenUp` is the caller's to abort when nobody waits for the answer any longer, and is aborted
   * when the deadline passes.
   */
  classifyRequest(
    ticket: Ticket,
    body: SharedArrayBuffer,
    byteLength: number,
    givenUp: AbortController,
  ): Promise<ServiceReply>;
  /** Whether files of the model were changed, replaced, added or removed since it was loaded. */
  hasModelChanged(): Promise<boolean>;
  /** What was loaded; undefined until its files were found right. */
  readonly model: ModelPackage | undefined;
  /** Classifies one image file's bytes, waiting as long as it takes. */
  classifyImage(
    image: Uint8Array<ArrayBuffer>,
    topCount: number,
    options?: { readonly returnsCrop?: boolean },
  ): Promise<ClassifyReply>;
  /** Runs the model on one image's tensor elements, with another activation than the manifest's. */
  classifyTensor(
    elements: TensorTask['elements'],
    activation: TensorTask['activation'],
    topCount: number,
  ): Promise<ClassifyReply>;
  /** As the pool's. */
  close(): ReturnType<WorkerPool['close']>;
}

const LOADING_RETRY_AFTER_S = 60;

export function createImageService(
  options: ServiceOptions,
  observer: ServiceObserver,
): ImageService {
  const { deployName } = options;
  const folder = findModelFolder(options.modelsDir, options.model);
  const admission = createAdmission({ workers: options.workers, ...options.queue });
  let status: ServiceStatus = {
    deployName,
    state: 'loading',
    problems: ['the model is loading'],
    workers: options.workers,
    threads: options.threads,
  };
  /** Of the model's folder before it was loaded. */
  let stamp: string | undefined;
  let model: ModelPackage | undefined;
  let pool: WorkerPool | undefined;
  /** What the operator was told last. */
  let knownSession: WorkerDescription | undefined;
  let classNames: readonly string[] = [];
  const measured = { loadMs: 0, goldenMs: 0 };
  const hungOnLoading = Promise.withResolvers<Result<never, string[]>>();

  async function load(proof: 'golden' | 'none' = 'golden'): Promise<void> {
    const loaded = await Promise.race([loadAndProve(proof), hungOnLoading.promise]);
    if (status.state === 'stopped') {
      await pool?.close(); // closed while loading: the pool may have come after
      return;
    }
    if (loaded.ok) {
      status = { ...status, state: 'ready', problems: [] };
      observer.onReady(status);
    } else {
      status = { ...status, state: 'failed', problems: loaded.error };
      const closing = pool?.close();
      observer.onFailed(status);
      await Promise.race([closing, hungOnLoading.promise]); // a thread that hangs is not waited for
    }
  }

  async function loadAndProve(proof: 'golden' | 'none'): Promise<Result<true, string[]>> {
    stamp = await stampModelFolder(folder);
    const loaded = await loadModelPackage(folder, options.chooseVariant);
    if (!loaded.ok) {
      return loaded;
    }
    model = loaded.value;
    const { manifest, variant } = model;
    const { name, version } = manifest;
    status = { ...status, model: { name, version, sha256: model.modelSha256 }, variant };
    const preparedFile =
      options.device === 'cuda'
        ? undefined
        : await findPreparedFile(model, options, observer.onWarning);
    if (status.state === 'stopped') {
      return err(status.problems.slice());
    }

    pool = createWorkerPool(
      options.workers,
      {
        modelFile: model.modelFile,
        preparedFile,
        manifest,
        device: options.device,
        threads: options.threads,
        needsDevice: variant.needs.device,
        imaging: options.imaging,
      },
      {
        onDeath: observer.onWorkerDied,
        onLoad: followReplacements,
        onHang: followHang,
        hangLimits: () => findHangLimits(options.deadlineMs, measured),
      },
    );
    const startedMs = performance.now();
    try {
      await pool.started;
      measured.loadMs = performance.now() - startedMs;
      const session = describeFirstWorkers(pool.loads);
      if (!session.ok) {
        return session;
      }
      knownSession = session.value;
      status = { ...status, session: knownSession };
      const found = findClassNames(model, session.value.classCount, options.language);
      if (!found.ok) {
        return found;
      }
      classNames = found.value;
      if (proof === 'none') {
        return ok(true);
      }
      const { mismatches, slowestMs } = await runGoldenExamples(model, pool);
      measured.goldenMs = slowestMs;
      return mismatches.length === 0 ? ok(true) : err([...mismatches]);
    } catch (error) {
      return err([`a worker died over the golden examples: ${(error as Error).message}`]);
    }
  }

  /** One that hangs before the service was ever ready fails it, and is no reason to end the others. */
  function followHang(hang: string | undefined): void {
    if (status.state === 'loading' && hang !== undefined) {
      hungOnLoading.resolve(err([hang]));
    } else if (status.state === 'ready' || status.hang !== undefined) {
      status = { ...status, hang };
      observer.onHang(hang);
    }
  }

  /** Keeps the status true when a dead worker's successor has loaded the model, or cannot. */
  function followReplacements(load: WorkerLoad): void {
    if (pool === undefined || (status.state !== 'ready' && status.state !== 'failed')) {
      return;
    }
    if (!load.ok) {
      observer.onWarning(`a replaced worker cannot load the model and tries again: ${load.error}`);
    }
    const { session } = viewWorkers(pool.loads);
    const change = session && knownSession && describeChange(knownSession, session);
    if (change !== undefined) {
      observer.onWarning(change);
    }
    knownSession = session ?? knownSession;
    status = withWorkers(status, pool.loads, knownSession);
  }

  return {
    deployName,
    admission,
    load,
    status: () => status,
    get classNames() {
      return classNames;
    },
    admit() {
      if (status.state !== 'ready') {
        const detail = `service ${deployName} is not ready: ${status.problems.join('; ')}`;
        return err(fault('UNAVAILABLE', detail, LOADING_RETRY_AFTER_S));
      }
      return admission.open();
    },
    async classifyRequest(ticket, body, byteLength, givenUp) {
      const arrived = performance.now();
      const timer = setTimeout(() => givenUp.abort(), options.deadlineMs);
      try {
        const refused = await ticket.waitForWorker(givenUp.signal);
        const waitMs = performance.now() - arrived;
        if (refused !== undefined) {
          ticket.close();
          return { outcome: err(refused), timings: {}, waitMs };
        }
        const working = runTwice(
          pool,
          { kind: 'request', body, byteLength },
          givenUp.signal,
        ).finally(ticket.close);
        const reply = await Promise.race([working, waitForAbort(givenUp.signal)]);
        return { ...reply, waitMs };
      } finally {
        clearTimeout(timer);
      }
    },
    hasModelChanged: async () => (await stampModelFolder(folder)) !== stamp,
    get model() {
      return model;
    },
    classifyImage: (image, topCount, wanted) =>
      runTwice(pool, { kind: 'image', image, topCount, ...wanted }),
    classifyTensor: (elements, activation, topCount) =>
      runTwice(pool, { kind: 'tensor', elements, activation, topCount }),
    async close() {
      status = { ...status, state: 'stopped', problems: ['it was stopped'] };
      return (await pool?.close()) ?? 'ended';
    },
  };
}
