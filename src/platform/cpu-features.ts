import { readFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';

/**
 * What this CPU can do: its architecture, then its features as Linux names them, sorted
 * (`avx2`, `avx512_vnni`). A graph optimised for one list might not run or be best on another.
 */
export async function readCpuFeatures(): Promise<readonly string[]> {
  try {
    const cpuInfo = await readFile('/proc/cpuinfo', 'utf8');
    const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuInfo)?.[1];
    if (flags !== undefined) {
      return [arch(), ...flags.trim().split(/\s+/).sort()];
    }
  } catch {
    // No /proc on this system: its model name stands in for its features.
  }
  return [arch(), cpus()[0]?.model ?? 'unknown'];
}
