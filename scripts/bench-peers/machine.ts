import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** The machine in a few words: processor, cores, memory, kernel. */
export function describeMachine(): string {
  const model = (cpus()[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim();
  const memoryGb = (totalmem() / 1e9).toFixed(0);
  return `${availableParallelism()} cores of ${model}, ${memoryGb} GB, Linux ${release()}, Node ${process.versions.node}`;
}
