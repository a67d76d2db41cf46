import { err, ok, type Result } from '../core/result.ts';
import type { WorkerPool } from './pool.ts';
import type { WorkerDescription } from './protocol.ts';

/** Waits until every worker has loaded, and says what is true of all of them together. */
export async function describeWorkers(
  pool: WorkerPool,
): Promise<Result<WorkerDescription, string>> {
  const all = Array.from({ length: pool.size }, () => pool.run({ kind: 'describe' }));
  const sessions: WorkerDescription[] = [];
  for (const described of await Promise.all(all)) {
    if (!described.ok) {
      return described;
    }
    sessions.push(described.value);
  }
  const [slowest] = sessions.toSorted((a, b) => a.device.localeCompare(b.device)); // cpu, cuda
  if (slowest === undefined) {
    return err('the pool has no workers');
  }
  const alike = sessions.filter(({ device }) => device === slowest.device).length;
  const share = alike === sessions.length ? '' : `${alike} of ${sessions.length} workers: `;
  const { imaging, imagingReason } =
    sessions.find((session) => session.imaging === 'portable') ?? slowest;
  return ok({
    ...slowest,
    imaging,
    imagingReason,
    deviceReason: `${share}${slowest.deviceReason}`,
    isPrepared: sessions.every(({ isPrepared }) => isPrepared),
  });
}
