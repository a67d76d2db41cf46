import type { ChosenVariant } from '../catalog/variants.ts';
import { viewWorkers } from './describe-workers.ts';
import type { WorkerDescription, WorkerLoad } from './protocol.ts';

/** How a service stands. */
export interface ServiceStatus {
  readonly deployName: string;
  readonly state: 'loading' | 'ready' | 'failed' | 'stopped';
  /** Why it is not ready; one sentence for each problem. */
  readonly problems: readonly string[];
  /** Which worker hangs, and for how long it already had when that was seen. */
  readonly hang?: string | undefined;
  readonly workers: number;
  /** On which each worker runs the model on the CPU. */
  readonly threads: number;
  readonly model?: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly variant?: ChosenVariant;
  /** Of the workers that there are now; none where none can load the model. */
  readonly session?: WorkerDescription | undefined;
}

/** As it stands once workers were replaced: it serves as long as one of them could load the model. */
export function withWorkers(
  status: ServiceStatus,
  loads: readonly WorkerLoad[],
  knownSession: WorkerDescription | undefined,
): ServiceStatus {
  const { problems, failedCount } = viewWorkers(loads);
  const hasWorker = failedCount < status.workers;
  return {
    ...status,
    state: hasWorker ? 'ready' : 'failed',
    problems: problems.map((reason) => `a replaced worker cannot load the model: ${reason}`),
    session: hasWorker ? knownSession : undefined,
  };
}
