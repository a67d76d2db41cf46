/** The thread in which facts are read: `workerData` is a `ReadTask`; digests come back, nothing raw. */
import { parentPort, workerData } from 'node:worker_threads';
import { readHost } from './host-reader.ts';
import { runUntil } from './run-program.ts';
import { hostFiles } from './system-files.ts';

export interface ReadTask {
  /** For all programs that are asked; undefined: none is. */
  readonly programTimeoutMs: number | undefined;
  readonly rootDigestsFile?: string;
}

const { programTimeoutMs, rootDigestsFile } = workerData as ReadTask;
const facts = await readHost({
  files: hostFiles,
  run:
    programTimeoutMs === undefined
      ? async () => undefined
      : runUntil(performance.now() + programTimeoutMs),
  isRoot: process.getuid?.() === 0,
  ...(rootDigestsFile === undefined ? {} : { rootDigestsFile }),
});
parentPort?.postMessage(facts);
