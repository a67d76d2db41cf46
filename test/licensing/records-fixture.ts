import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ClockHistory } from '../../src/licensing/clock-policy.ts';
import type { Evaluation } from '../../src/licensing/record-content.ts';

/** Two folders for records, gone after the test. */
export async function makeFolders(): Promise<readonly [first: string, second: string]> {
  const root = await mkdtemp(join(tmpdir(), 'edge-infer-records-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return [join(root, 'state/licenses'), join(root, 'home/edge-infer')];
}

export function evaluationOf(id: string, order: number, history: ClockHistory): Evaluation {
  return { id, order, salt: 'AAAA', components: [], beganMs: 0, datings: 0, history };
}
