import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { err, type Result } from '../core/result.ts';
import { forbidRuntimeTelemetry } from './offline.ts';
import type { PrepareTask } from './protocol.ts';

const PREPARE_FILE = fileURLToPath(new URL('../worker/prepare.ts', import.meta.url));
/** Optimising takes seconds for 100 MB; beyond this it hangs. */
const TIMEOUT_MS = 10 * 60 * 1000;

/**
 * Writes a model's prepared form into `targetFolder`, in a process of its own: the memory that
 * optimising takes (several times the weights) goes back with it, and a crash ends only that.
 */
export async function prepareInProcess(task: PrepareTask): Promise<Result<true, string>> {
  forbidRuntimeTelemetry();
  const child = fork(PREPARE_FILE, { execArgv: [], timeout: TIMEOUT_MS, stdio: 'ignore' });
  const { promise, resolve } = Promise.withResolvers<Result<true, string>>();
  child.once('message', (outcome) => resolve(outcome as Result<true, string>));
  child.once('error', (error) => resolve(err(`it could not be made: ${error.message}`)));
  child.once('exit', (code, signal) =>
    resolve(err(`the process that makes it ended early (${signal ?? `exit code ${code}`})`)),
  );
  child.send(task, (error) => {
    if (error !== null) {
      child.kill();
    }
  });
  return promise;
}
