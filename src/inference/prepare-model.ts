import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ModelPackage } from '../catalog/model-package.ts';
import { ensurePrepared } from '../catalog/prepared-cache.ts';
import { err, ok, type Result } from '../core/result.ts';
import { forbidRuntimeTelemetry } from './offline.ts';
import type { PrepareOutcome, PrepareTask } from './protocol.ts';

const PREPARE_FILE = fileURLToPath(new URL('../worker/prepare.ts', import.meta.url));
/** Optimising takes seconds for 100 MB; beyond this it hangs. */
const TIMEOUT_MS = 10 * 60 * 1000;

/** What a prepared form depends on beside the model, and where it is kept. */
interface PreparedOptions {
  readonly stateDir: string;
  readonly runtimeVersion: string;
  readonly cpuFeatures: string;
}

/** Finds or makes the prepared form of a model; undefined, with a warning, where there can be none. */
export async function findPreparedFile(
  { weightsSha256, modelFile, manifest }: ModelPackage,
  { stateDir, runtimeVersion, cpuFeatures }: PreparedOptions,
  onWarning: (message: string) => void,
): Promise<string | undefined> {
  const key = { weightsSha256, runtimeVersion, cpuFeatures };
  const prepared = await ensurePrepared(stateDir, key, (targetFolder) =>
    prepareInProcess({ modelFile, manifest, targetFolder }),
  );
  if (prepared.ok) {
    return prepared.value.graphFile;
  }
  onWarning(
    `no prepared form of the model, so each worker holds its own copy of the weights: ${prepared.error}`,
  );
  return undefined;
}

/**
 * Writes a model's prepared form into `targetFolder`, in a process of its own: the memory that
 * optimising takes (several times the weights) goes back with it, and a crash ends only that.
 *
 * onnxruntime stores rearranged matrices under 1 MiB wherever the weights before them happen to
 * end, and kernels that load aligned vectors from there end the process. Where the form with such
 * matrices fails, it is made without them: then each worker rearranges its own.
 */
export async function prepareInProcess(
  task: Omit<PrepareTask, 'storesPackedMatrices'>,
): Promise<Result<true, string>> {
  let outcome = await runPreparation({ ...task, storesPackedMatrices: true });
  if (!outcome.ok && outcome.error.isFormWrong) {
    outcome = await runPreparation({ ...task, storesPackedMatrices: false });
  }
  return outcome.ok ? ok(true) : err(outcome.error.reason);
}

async function runPreparation(task: PrepareTask): Promise<PrepareOutcome> {
  forbidRuntimeTelemetry();
  const child = fork(PREPARE_FILE, { execArgv: [], timeout: TIMEOUT_MS, stdio: 'ignore' });
  const { promise, resolve } = Promise.withResolvers<PrepareOutcome>();
  child.once('message', (outcome) => resolve(outcome as PrepareOutcome));
  child.once('error', ({ message }) =>
    resolve(err({ reason: `it could not be made: ${message}`, isFormWrong: false })),
  );
  child.once('exit', (code, signal) => {
    const how = signal ?? `exit code ${code}`;
    resolve(err({ reason: `the process that makes it ended early (${how})`, isFormWrong: true }));
  });
  child.send(task, (error) => {
    if (error !== null) {
      child.kill();
    }
  });
  return promise;
}
