import type { Finding } from './finding.ts';
import { isJunkUuid } from './junk-values.ts';
import type { SystemFiles } from './system-files.ts';

const machineIdFiles = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/** The installation's own number (machine-id(5)): made anew when a system is installed. */
export function readMachineId(files: SystemFiles): Finding {
  const kind = 'machine-id';
  const readings = machineIdFiles.map((path) => files.readText(path));
  for (const reading of readings) {
    const id = reading.state === 'read' ? normaliseMachineId(reading.text) : undefined;
    if (id !== undefined) return { kind, values: [id] };
  }
  if (readings.some(({ state }) => state === 'denied')) {
    return {
      kind,
      values: [],
      isUnreadable: true,
      note: 'this process may not read /etc/machine-id',
    };
  }
  return { kind, values: [], isMissing: true, note: 'this system has no machine id' };
}

/** 32 hexadecimal digits in lower case; undefined for anything else, `uninitialized` included. */
export function normaliseMachineId(text: string): string | undefined {
  const id = text.trim().toLowerCase().replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(id) && !isJunkUuid(id) ? id : undefined;
}
