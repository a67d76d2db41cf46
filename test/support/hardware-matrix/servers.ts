import {
  another,
  change,
  DISK,
  FIRMWARE,
  MACHINE_ID,
  OWN_CARD,
  PROCESSOR,
  renew,
  renewed,
  take,
} from './changes.ts';
import { type MatrixRow, row } from './row.ts';

/** The first server after its board was changed: all that is soldered on is another's. */
const newBoard = take('bare-metal-twin', FIRMWARE, OWN_CARD);
const plugInCard = {
  '/sys/class/net/ens3f0': { link: '../../devices/pci0000:17/0000:17:00.0/net/ens3f0' },
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/device': { link: '../../../0000:17:00.0' },
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/address': 'b4:96:91:c0:3e:74\n',
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/addr_assign_type': '0\n',
} as const;
const otherProcessor = change('bare-metal', PROCESSOR, (text) => text.replaceAll('4310', '4314'));

/** A machine of its own, whose firmware tells what it should. */
export const serverRows: readonly MatrixRow[] = [
  row('nothing changed', 'bare-metal', 'bare-metal', 'passes', '11 of 11, needs 6'),
  row(
    'network card swapped',
    'bare-metal',
    renewed('bare-metal', OWN_CARD),
    'drifts',
    '9 of 11, needs 6',
  ),
  row(
    'one of two network cards swapped',
    'bare-metal',
    renewed('bare-metal', /eno8303\/address$/),
    'passes',
    '11 of 11, needs 6',
  ),
  row(
    'disk swapped, system reinstalled',
    'bare-metal',
    renewed('bare-metal', DISK, MACHINE_ID),
    'drifts',
    '8 of 11, needs 6',
  ),
  row(
    'disk and network card swapped, reinstalled',
    'bare-metal',
    renewed('bare-metal', DISK, MACHINE_ID, OWN_CARD),
    'drifts',
    '6 of 11, needs 6',
  ),
  row(
    'the same, and another processor',
    'bare-metal',
    [
      'bare-metal',
      {
        files: { ...renew('bare-metal', DISK, MACHINE_ID, OWN_CARD), ...otherProcessor },
      },
    ],
    'HARDWARE_MISMATCH',
    '5 of 11, needs 6',
  ),
  row(
    'processor swapped',
    'bare-metal',
    ['bare-metal', { files: otherProcessor }],
    'drifts',
    '10 of 11, needs 6',
  ),
  row(
    'processor at another frequency, new microcode',
    'bare-metal',
    [
      'bare-metal',
      {
        files: change('bare-metal', PROCESSOR, (text) =>
          text.replaceAll('2600.000', '800.051').replaceAll('0xd0003d1', '0xd0003f5'),
        ),
      },
    ],
    'passes',
    '11 of 11, needs 6',
  ),
  row(
    'board swapped',
    'bare-metal',
    ['bare-metal', { files: newBoard }],
    'HARDWARE_MISMATCH',
    '4 of 11, needs 6',
  ),
  row(
    'board swapped, plug-in card and disk kept',
    ['bare-metal', { files: plugInCard }],
    ['bare-metal', { files: { ...newBoard, ...plugInCard } }],
    'HARDWARE_MISMATCH',
    '6 of 11, needs 6',
  ),
  row(
    'board swapped, serial number of the machine written anew',
    'bare-metal',
    ['bare-metal', { files: { ...newBoard, ...take('bare-metal', /product_serial$/) } }],
    'drifts',
    '6 of 11, needs 6',
  ),
  row(
    'image cloned to a twin',
    'bare-metal',
    ['bare-metal-twin', { files: take('bare-metal', MACHINE_ID) }],
    'HARDWARE_MISMATCH',
    '2 of 11, needs 6',
  ),
  row(
    'disk moved to a twin',
    'bare-metal',
    ['bare-metal-twin', { files: take('bare-metal', DISK, MACHINE_ID) }],
    'HARDWARE_MISMATCH',
    '4 of 11, needs 6',
  ),
  row(
    'disk and network card moved to a twin',
    ['bare-metal', { files: plugInCard }],
    [
      'bare-metal-twin',
      {
        files: {
          ...take('bare-metal', DISK, MACHINE_ID),
          ...plugInCard,
        },
      },
    ],
    'HARDWARE_MISMATCH',
    '6 of 11, needs 6',
  ),
  row('a twin', 'bare-metal', 'bare-metal-twin', 'HARDWARE_MISMATCH', '1 of 11, needs 6'),
  row(
    'one of two mirrored disks swapped',
    'many-interfaces',
    ['many-interfaces', { files: change('many-interfaces', /ata2.*vpd_pg80$/, another) }],
    'passes',
    '11 of 11, needs 6',
  ),
  row(
    'bond taken apart, containers gone',
    'many-interfaces',
    [
      'many-interfaces',
      {
        files: {
          ...change(
            'many-interfaces',
            /perm_hwaddr$|class\/net\/(veth|bond|br|docker)/,
            () => null,
          ),
          ...change('many-interfaces', /eno2\/addr_assign_type$/, () => '0\n'),
        },
      },
    ],
    'passes',
    '11 of 11, needs 6',
  ),
];
