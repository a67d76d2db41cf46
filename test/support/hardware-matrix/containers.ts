import { another, change, DISK, FIRMWARE, take } from './changes.ts';
import { type MatrixRow, row } from './row.ts';

/** Containers. */
export const containerRows: readonly MatrixRow[] = [
  row(
    'container on the licensed host',
    'bare-metal',
    'container',
    'CONTAINER_DENIED',
    '8 of 11, needs 6',
  ),
  row(
    'the same, containers allowed',
    'bare-metal',
    'container',
    'drifts',
    '8 of 11, needs 6',
    'allow',
  ),
  row(
    'issued in a container, containers allowed',
    'container',
    'container',
    'passes',
    '8 of 8, needs 5',
    'allow',
  ),
  row(
    'the same, container made anew',
    'container',
    ['container', { files: change('container', /eth0\/address$/, another) }],
    'passes',
    '8 of 8, needs 5',
    'allow',
  ),
  row(
    'the same container on a twin',
    'container',
    ['container', { files: take('bare-metal-twin', FIRMWARE, DISK) }],
    'HARDWARE_MISMATCH',
    '1 of 8, needs 5',
    'allow',
  ),
  row(
    "container with Docker's mark removed",
    'bare-metal',
    ['container', { files: { '/.dockerenv': null } }],
    'CONTAINER_DENIED',
    '8 of 11, needs 6',
  ),
  row(
    "host made from an image that left Docker's mark",
    'bare-metal',
    ['bare-metal', { files: { '/.dockerenv': '' } }],
    'passes',
    '11 of 11, needs 6',
  ),
];
