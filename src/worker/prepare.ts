/**
 * Runs as a process of its own, started by `prepareInProcess`: writes a model's optimised graph
 * with its weights beside it, proves that it answers as the model does, and sends the outcome.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { InferenceSession as Session } from 'onnxruntime-node';
import { PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE } from '../catalog/prepared-form.ts';
import { err, ok } from '../core/result.ts';
import type { PrepareOutcome, PrepareTask } from '../inference/protocol.ts';
import { InferenceSession } from './onnxruntime.ts';
import {
  cpuSessionOptions,
  describeLoadError,
  type LoadedSession,
  preparedSessionOptions,
  prove,
} from './session.ts';

// Smaller initializers stay in the graph's file.
const MIN_EXTERNAL_BYTES = 1024;

async function prepareModel(task: PrepareTask): Promise<PrepareOutcome> {
  const graphFile = join(task.targetFolder, PREPARED_GRAPH_FILE);
  let session: Session;
  try {
    session = await InferenceSession.create(task.modelFile, {
      ...cpuSessionOptions,
      optimizedModelFilePath: graphFile,
      extra: {
        session: {
          optimized_model_external_initializers_file_name: PREPARED_WEIGHTS_FILE,
          optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
          // Matrix kernels rearrange their weights when they load, into memory of each session's
          // own: stored rearranged as well, these are mapped and shared like the rest.
          save_external_prepacked_constant_initializers: task.storesPackedMatrices ? '1' : '0',
        },
      },
    });
  } catch (error) {
    const { message } = error as Error;
    const reason = /failed to write/i.test(message)
      ? `${task.targetFolder} cannot be written to, or the disk is full`
      : describeLoadError(task.modelFile, error as Error);
    return err({ reason, isFormWrong: false });
  }
  const own = await proveSession(task, session);
  if (!own.ok) {
    return err({ reason: own.error, isFormWrong: false });
  }
  let preparedSession: Session;
  try {
    // Also finds a file whose last bytes found no room, which goes unnoticed when it is written.
    preparedSession = await InferenceSession.create(graphFile, preparedSessionOptions);
  } catch (error) {
    const reason = `what was written to ${task.targetFolder} cannot be loaded; the disk may be full (${(error as Error).message})`;
    return err({ reason, isFormWrong: false });
  }
  // Loading reads no weights: only running shows whether each kernel can work where they lie.
  const prepared = await proveSession(task, preparedSession);
  if (!prepared.ok) {
    return err({ reason: prepared.error, isFormWrong: true });
  }
  return isDeepStrictEqual(await answerPattern(own.value), await answerPattern(prepared.value))
    ? ok(true)
    : err({ reason: 'it answers differently from the model itself', isFormWrong: true });
}

function proveSession(task: PrepareTask, session: Session) {
  return prove(task, ok({ session, device: 'cpu', deviceReason: '', isPrepared: false }));
}

/** The answer to an image without meaning, in which no value is like its neighbours. */
function answerPattern({ input, run }: LoadedSession): Promise<Float32Array> {
  for (let index = 0; index < input.length; index++) {
    const step = (index * 31) % 251;
    // A float16 is given by its bits, these around 1.0; a byte keeps the lower half of them.
    input[index] = input instanceof Float32Array ? step / 125 : 0x3b80 + step;
  }
  return run();
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
