/** The thread in which facts are read: `workerData` is a `ReadTask`; digests come back, nothing raw. */
import { parentPort, workerData } from 'node:worker_threads';
import { readHost } from './host-reader.ts';
import { monotonicMs } from './monotonic.ts';
import { runUntil } from './run-program.ts';
import { hostFiles } from './system-files.ts';

export interface ReadTask {
  /** When all programs that are asked are ended, by `monotonicMs`; undefined: none is asked. */
  readonly programsEndMs: number | undefined;
  readonly rootDigestsFile?: string;
}

const { programsEndMs, rootDigestsFile } = workerData as ReadTask;
const facts = await readHost({
  files: hostFiles,
  run:
    programsEndMs === undefined
      ? async () => undefined
      : runUntil(performance.now() + programsEndMs - monotonicMs()),
  isRoot: process.getuid?.() === 0,
  ...(rootDigestsFile === undefined ? {} : { rootDigestsFile }),
});
parentPort?.postMessage(facts);
