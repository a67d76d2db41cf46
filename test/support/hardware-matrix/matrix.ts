import { containerRows } from './containers.ts';
import { graphicsCardRows } from './graphics-cards.ts';
import { littleKnownRows } from './little-known-hosts.ts';
import type { MatrixRow } from './row.ts';
import { serverRows } from './servers.ts';
import { virtualMachineRows } from './virtual-machines.ts';

/** Every event of the design, and what it must come to. */
export const hardwareMatrix: readonly MatrixRow[] = [
  ...serverRows,
  ...littleKnownRows,
  ...virtualMachineRows,
  ...containerRows,
  ...graphicsCardRows,
];
