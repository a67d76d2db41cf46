import { err, ok, type Result } from '../../core/result.ts';
import type { RunProgram } from './run-program.ts';

export const SERVICE_UNIT = 'edge-infer.service';
export const SERVICE_SOCKET = 'edge-infer.socket';
export const ADMIN_SOCKET = 'edge-infer-admin.socket';
export const HARDWARE_UNIT = 'edge-infer-hardware.service';

export const unitNames = [SERVICE_UNIT, SERVICE_SOCKET, ADMIN_SOCKET, HARDWARE_UNIT] as const;

export type UnitName = (typeof unitNames)[number];

/** A unit's properties as `systemctl show` has them; a property may come several times. */
export interface Unit {
  readonly name: UnitName;
  get(property: string): string;
  list(property: string): readonly string[];
}

/** Why there are no units, where a container or another system runs the server. */
export const NO_SYSTEMD = 'this host was not started by systemd';

/** By name, those that are installed. */
export type Units = ReadonlyMap<UnitName, Unit>;

const properties = [
  ...['Id', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'Result', 'NRestarts'],
  ...['ExecMainStatus', 'ExecMainCode', 'MainPID', 'StatusText', 'ActiveEnterTimestampMonotonic'],
  ...['FragmentPath', 'DropInPaths', 'NeedDaemonReload', 'Listen', 'Environment', 'UID'],
  ...['MemoryCurrent', 'MemoryPeak', 'MemoryHigh', 'MemoryMax', 'ProtectHome', 'PrivateTmp'],
];

/** Asks systemd; the error says why it cannot be asked. */
export async function readUnits(runProgram: RunProgram): Promise<Result<Units, string>> {
  const shown = await runProgram(
    'systemctl',
    ...['show', '--no-pager', `--property=${properties.join(',')}`, ...unitNames],
  );
  if (shown.ok) {
    return ok(parseUnits(shown.value));
  }
  const isElsewhere = shown.error.includes('not been booted with systemd');
  return err(isElsewhere ? NO_SYSTEMD : shown.error);
}

/** Reads the output of `systemctl show`: a line for each property, a blank one between units. */
function parseUnits(text: string): Units {
  const units = text.split(/\n\s*\n/).flatMap((block) => {
    const values = Map.groupBy(
      block.split('\n').filter((line) => line.includes('=')),
      (line) => line.slice(0, line.indexOf('=')),
    );
    const list = (property: string) =>
      (values.get(property) ?? []).map((line) => line.slice(property.length + 1));
    const get = (property: string) => list(property)[0] ?? '';
    const name = unitNames.find((each) => each === get('Id'));
    const isInstalled = name !== undefined && get('LoadState') !== 'not-found';
    return isInstalled ? [[name, { name, get, list }] as const] : [];
  });
  return new Map(units);
}

/** A number of bytes, or undefined where nothing is limited or known. */
export function readBytes(unit: Unit, property: string): number | undefined {
  const text = unit.get(property);
  // Unlimited and unknown are 2^64-1, as digits or in words.
  return /^\d{1,18}$/.test(text) ? Number(text) : undefined;
}

/** The settings that a unit gives the server by `Environment=`. */
export function readUnitEnvironment(unit: Unit | undefined): Record<string, string> {
  const assignments = unit?.get('Environment').matchAll(/"?(EDGE_INFER_\w+)=((?:[^\s"\\]|\\.)*)/g);
  return Object.fromEntries([...(assignments ?? [])].map(([, name, value]) => [name, value]));
}
