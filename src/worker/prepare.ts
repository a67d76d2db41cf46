/**
 * Runs as a process of its own, started by `prepareInProcess`: writes a model's optimised graph
 * with its weights beside it, proves that it loads, and sends the outcome.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE } from '../catalog/prepared-form.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { PrepareTask } from '../inference/protocol.ts';
import { InferenceSession } from './onnxruntime.ts';
import { cpuSessionOptions, describeLoadError, preparedSessionOptions } from './session.ts';

// Smaller initializers stay in the graph's file; each external one is aligned to 64 bytes.
const MIN_EXTERNAL_BYTES = 1024;

async function prepareModel(task: PrepareTask): Promise<Result<true, string>> {
  const graphFile = join(task.targetFolder, PREPARED_GRAPH_FILE);
  try {
    await InferenceSession.create(task.modelFile, {
      ...cpuSessionOptions,
      optimizedModelFilePath: graphFile,
      extra: {
        session: {
          optimized_model_external_initializers_file_name: PREPARED_WEIGHTS_FILE,
          optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
          // Matrix kernels rearrange their weights when they load, into memory of each session's
          // own: stored rearranged as well, these are mapped and shared like the rest.
          save_external_prepacked_constant_initializers: '1',
        },
      },
    });
  } catch (error) {
    const { message } = error as Error;
    return /failed to write/i.test(message)
      ? err(`${task.targetFolder} cannot be written to, or the disk is full`)
      : err(describeLoadError(task.modelFile, error as Error));
  }
  try {
    // Also finds a file whose last bytes found no room, which goes unnoticed when it is written.
    await InferenceSession.create(graphFile, preparedSessionOptions);
    return ok(true);
  } catch (error) {
    return err(
      `what was written to ${task.targetFolder} cannot be loaded; the disk may be full (${(error as Error).message})`,
    );
  }
}

process.once('message', (task: PrepareTask) => {
  // Whoever asked is gone: nobody will use what is made, nor remove it.
  const abandon = () => {
    rmSync(task.targetFolder, { recursive: true, force: true });
    process.exit();
  };
  process.once('disconnect', abandon);
  void prepareModel(task).then((outcome) =>
    process.send?.(outcome, (error: Error | null) => (error === null ? process.exit() : abandon())),
  );
});
