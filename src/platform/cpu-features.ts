import { readFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';

/** Text that changes when a graph optimised for this CPU might not run or be best on another. */
export async function describeCpuFeatures(): Promise<string> {
  try {
    const cpuInfo = await readFile('/proc/cpuinfo', 'utf8');
    const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuInfo)?.[1];
    if (flags !== undefined) {
      return `${arch()} ${flags.trim().split(/\s+/).sort().join(' ')}`;
    }
  } catch {
    // No /proc on this system: its model name stands in for its features.
  }
  return `${arch()} ${cpus()[0]?.model ?? 'unknown'}`;
}
