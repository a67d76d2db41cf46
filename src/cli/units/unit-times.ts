import { uptime } from 'node:os';
import type { Unit } from './units.ts';

const US_PER_S = 1e6;

/** For how many seconds a unit has been active, by the clock that nobody sets. */
export function readSinceActiveS(unit: Unit): number | undefined {
  const startedUs = Number(unit.get('ActiveEnterTimestampMonotonic'));
  return startedUs > 0 ? Math.max(0, uptime() - startedUs / US_PER_S) : undefined;
}
