/** Runs once in a worker thread of its own: writes a model's optimised graph with its weights beside it. */
import { join } from 'node:path';
import { PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE } from '../catalog/prepared-cache.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { PrepareTask } from '../inference/protocol.ts';
import { InferenceSession } from './onnxruntime.ts';
import { describeLoadError } from './session.ts';

// Smaller initializers stay in the graph's file; each external one is aligned to 64 bytes.
const MIN_EXTERNAL_BYTES = 1024;

export async function prepareModel(task: PrepareTask): Promise<Result<true, string>> {
  try {
    const session = await InferenceSession.create(task.modelFile, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: join(task.targetFolder, PREPARED_GRAPH_FILE),
      extra: {
        session: {
          optimized_model_external_initializers_file_name: PREPARED_WEIGHTS_FILE,
          optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
        },
      },
    });
    await session.release();
    return ok(true);
  } catch (error) {
    return err(describeLoadError(task.modelFile, error as Error));
  }
}
