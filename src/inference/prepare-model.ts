import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Result } from '../core/result.ts';
import type { PrepareTask } from './protocol.ts';

const PREPARE_FILE = fileURLToPath(new URL('../worker/prepare.ts', import.meta.url));

/** Writes a model's prepared form into `targetFolder`, in a thread of its own that then ends. */
export async function prepareInThread(task: PrepareTask): Promise<Result<true, string>> {
  const piscina = new Piscina({
    filename: PREPARE_FILE,
    name: 'prepareModel',
    minThreads: 1,
    maxThreads: 1,
  });
  try {
    return (await piscina.run(task)) as Result<true, string>;
  } finally {
    await piscina.destroy();
  }
}
