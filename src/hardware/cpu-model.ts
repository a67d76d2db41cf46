import type { Finding } from './finding.ts';
import type { SystemFiles } from './system-files.ts';

/**
 * What /proc/cpuinfo says of the first processor and that stays the same: not its frequency at the
 * moment, nor its microcode.
 */
const stableFields = [
  'vendor_id',
  'cpu family',
  'model',
  'model name',
  'stepping',
  'CPU implementer',
  'CPU architecture',
  'CPU variant',
  'CPU part',
  'CPU revision',
];

export function readCpuModel(files: SystemFiles): Finding {
  const kind = 'cpu-model';
  const reading = files.readText('/proc/cpuinfo');
  if (reading.state === 'denied') {
    return {
      kind,
      values: [],
      isUnreadable: true,
      note: 'this process may not read /proc/cpuinfo',
    };
  }
  const fields = reading.state === 'read' ? readCpuFields(reading.text) : new Map<string, string>();
  const value = stableFields.flatMap((name) => fields.get(name) ?? []).join(' ');
  return value === ''
    ? { kind, values: [], note: 'the processor does not tell its model' }
    : { kind, values: [value.toUpperCase()] };
}

/** The fields of the first processor. */
export function readCpuFields(cpuInfo: string): ReadonlyMap<string, string> {
  const [first = ''] = cpuInfo.split('\n\n');
  return new Map(
    first.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/:(.*)/s);
      return [name.trim(), value.replaceAll(/\s+/g, ' ').trim()];
    }),
  );
}
