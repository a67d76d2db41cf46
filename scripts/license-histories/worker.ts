/** A worker thread of test-license-histories.ts: runs the numbers it is sent and tells what failed. */
import { parentPort } from 'node:worker_threads';
import { kinds, runHistory } from './history.ts';
import type { Property } from './properties.ts';

export interface Batch {
  readonly first: number;
  readonly count: number;
}

export interface Failure {
  readonly number: number;
  readonly property: Property;
}

async function runBatch({ first, count }: Batch): Promise<void> {
  const failures: Failure[] = [];
  for (let number = first; number < first + count; number++) {
    const kind = kinds[number % kinds.length];
    const property = kind && (await runHistory(kind, number));
    if (property !== undefined) failures.push({ number, property });
  }
  parentPort?.postMessage(failures);
}

parentPort?.on('message', (batch: Batch) => void runBatch(batch));
