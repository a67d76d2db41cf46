import { readFile } from 'node:fs/promises';

/**
 * CPU time of a process' main thread so far, in ms: of what runs JavaScript and waits for sockets
 * there, its workers and the runtime's helper threads aside. From the scheduler's own count in
 * nanoseconds (`schedstat`, proc(5)), because the ticks of `stat` are too coarse.
 */
export async function readMainThreadCpuMs(pid: number | undefined): Promise<number> {
  const [onCpuNs] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ');
  return Number(onCpuNs) / 1e6;
}
