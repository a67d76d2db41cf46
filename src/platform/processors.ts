import { availableParallelism, cpus } from 'node:os';

/**
 * CPU time in ms that all programs together have taken on this host since it started; undefined
 * where this process may use only some of the processors, because the others are not its concern.
 */
export function readBusyMs(): number | undefined {
  const processors = cpus();
  if (processors.length !== availableParallelism()) {
    return undefined;
  }
  return processors.reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}
