import type { Entries } from '../recorded-host.ts';
import { another, change, DISK, FIRMWARE, MACHINE_ID, OWN_CARD, renewed, take } from './changes.ts';
import { type MatrixRow, row } from './row.ts';

const denied = Object.fromEntries(
  Object.keys(take('bare-metal', FIRMWARE)).map((path) => [path, { denied: true } as const]),
);

function mountedOver(name: string, path: string): Entries {
  return change(
    name,
    /mountinfo$/,
    (text) => `${text}99 23 8:2 /tmp/x ${path} rw - ext4 /dev/sda2 rw\n`,
  );
}

/** Hosts that tell little: placeholders in the firmware, no root, files that are not the kernel's. */
export const littleKnownRows: readonly MatrixRow[] = [
  row(
    'placeholders in the firmware, nothing changed',
    'oem-placeholders',
    'oem-placeholders',
    'passes',
    '6 of 6, needs 4',
  ),
  row(
    'placeholders, reinstalled on the same disk',
    'oem-placeholders',
    renewed('oem-placeholders', MACHINE_ID),
    'drifts',
    '5 of 6, needs 4',
  ),
  row(
    'placeholders, disk swapped',
    'oem-placeholders',
    renewed('oem-placeholders', DISK),
    'HARDWARE_MISMATCH',
    '4 of 6, needs 4',
  ),
  row(
    'placeholders, network cards swapped',
    'oem-placeholders',
    [
      'oem-placeholders',
      {
        files: change('oem-placeholders', OWN_CARD, another),
        programs: { 'ip -json link show': '[]' },
      },
    ],
    'HARDWARE_MISMATCH',
    '4 of 6, needs 4',
  ),
  row(
    'issued with root, checked without',
    'bare-metal',
    'without-root',
    'HARDWARE_MISMATCH',
    '6 of 11, needs 6',
  ),
  row(
    'issued and checked without root',
    'without-root',
    'without-root',
    'passes',
    '6 of 6, needs 4',
  ),
  row(
    'issued without root, checked with',
    'without-root',
    'bare-metal',
    'passes',
    '6 of 6, needs 4',
  ),
  row(
    'issued without root, image cloned to a twin',
    'without-root',
    ['bare-metal-twin', { files: { ...denied, ...take('bare-metal', MACHINE_ID) }, isRoot: false }],
    'HARDWARE_MISMATCH',
    '2 of 6, needs 4',
  ),
  row(
    'UUID unreadable at the check, the rest readable',
    'bare-metal',
    ['bare-metal', { files: { '/sys/class/dmi/id/product_uuid': { denied: true } } }],
    'drifts',
    '8 of 11, needs 6',
  ),
  row(
    'a file mounted over the UUID on a twin',
    'bare-metal',
    [
      'bare-metal-twin',
      {
        files: {
          ...take('bare-metal', /product_uuid|machine-id$|mountinfo$/),
          ...mountedOver('bare-metal', '/sys/class/dmi/id/product_uuid'),
        },
      },
    ],
    'HARDWARE_MISMATCH',
    '2 of 11, needs 6',
  ),
];
