import {
  composeGpuFingerprint,
  composeHostFingerprint,
  offerHardware,
} from '../../src/licensing/compose.ts';
import { type MatchFailure, matchFingerprint } from '../../src/licensing/match.ts';
import { type Changes, type Entries, load, readRecordedHost } from './recorded-host.ts';

type Expected =
  | 'passes'
  /** Passes with `HARDWARE_DRIFT`. */
  | 'drifts'
  | MatchFailure
  /** No such licence is issued: the request would not tell the host from others. */
  | 'not issued';

type Host = string | readonly [name: string, changes: Changes];

interface MatrixRow {
  readonly event: string;
  readonly issuedFor: Host;
  readonly checkedOn: Host;
  readonly tier?: 'gpu';
  readonly allowsContainer?: true;
  readonly expected: Expected;
  /** What matches, of what there was at issue, and what is needed. */
  readonly score: string;
}

export interface MatrixResult {
  readonly event: string;
  readonly score: string;
  readonly expected: Expected;
  readonly got: Expected;
  readonly gotScore: string;
}

const SALT = Buffer.from('sixteen bytes ..').toString('base64url');

/** Issues a licence for one recorded host and holds another against it. */
export async function playRow(row: MatrixRow): Promise<MatrixResult> {
  const { event, score, expected } = row;
  const offered = offerHardware(await read(row.issuedFor), SALT);
  const fingerprint =
    row.tier === 'gpu'
      ? composeGpuFingerprint(offered, 0)
      : composeHostFingerprint(offered, { strict: true });
  if (!fingerprint.ok) return { event, score, expected, got: 'not issued', gotScore: '-' };
  const match = matchFingerprint(fingerprint.value, await read(row.checkedOn), {
    allowsContainer: row.allowsContainer ?? false,
  });
  const passed = match.drift ? 'drifts' : 'passes';
  return {
    event,
    score,
    expected,
    got: match.ok ? passed : (match.failure ?? 'passes'),
    gotScore: `${match.score} of ${match.of}, needs ${match.need}`,
  };
}

const read = (host: Host) =>
  typeof host === 'string' ? readRecordedHost(host) : readRecordedHost(...host);

/** Those files of a recording whose paths match, or what they become. */
function change(name: string, path: RegExp, become: (text: string) => string | null): Entries {
  const paths = Object.entries(load(name).files).filter(([one]) => path.test(one));
  if (paths.length === 0) throw new RangeError(`${name} has no file ${path}`);
  return Object.fromEntries(
    paths.map(([one, entry]) => [one, become(typeof entry === 'string' ? entry : '')]),
  );
}

const take = (name: string, path: RegExp) =>
  Object.fromEntries(Object.entries(load(name).files).filter(([one]) => path.test(one)));

const OWN_CARD = /\/net\/en[^/]*\/address$/;
const DISK = /vpd_pg80|\/wwid$|b8:0$|\/serial$/;
const MACHINE_ID = /machine-id$/;
const PROCESSOR = /cpuinfo$/;
const FIRMWARE = /dmi\/id\/(product_uuid|product_serial|board_serial)$/;

/** Another value of the same form: the last digits counted on. */
const another = (text: string) =>
  text.replaceAll(/[0-9a-f]{2}(?=\W*$)/gi, (digits) => {
    const next = (Number.parseInt(digits, 16) + 0x11) % 0x100;
    return next.toString(16).padStart(2, '0');
  });
const changed = (name: string, ...paths: readonly RegExp[]): Entries =>
  Object.assign({}, ...paths.map((path) => change(name, path, another)));
const other = (name: string, ...paths: readonly RegExp[]): Host => [
  name,
  { files: changed(name, ...paths) },
];
const otherProcessor = change('bare-metal', PROCESSOR, (text) => text.replaceAll('4310', '4314'));

/** The first server after its board was changed: all that is soldered on is another's. */
const newBoard = take('bare-metal-twin', new RegExp(`${FIRMWARE.source}|${OWN_CARD.source}`));
const plugInCard = {
  '/sys/class/net/ens3f0': { link: '../../devices/pci0000:17/0000:17:00.0/net/ens3f0' },
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/device': { link: '../../../0000:17:00.0' },
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/address': 'b4:96:91:c0:3e:74\n',
  '/sys/devices/pci0000:17/0000:17:00.0/net/ens3f0/addr_assign_type': '0\n',
} as const;
const denied = Object.fromEntries(
  Object.keys(take('bare-metal', FIRMWARE)).map((path) => [path, { denied: true } as const]),
);
const CARD_A = 'gpus';
const withoutCard: Host = [
  'gpus',
  { files: change('gpus', /nvidia\/gpus\/|pci\/devices/, () => null) },
];

/** Every event of the design, and what it must come to. */
export const hardwareMatrix: readonly MatrixRow[] = [
  // A machine of its own
  row('nothing changed', 'bare-metal', 'bare-metal', 'passes', '11 of 11, needs 6'),
  row(
    'network card swapped',
    'bare-metal',
    other('bare-metal', OWN_CARD),
    'drifts',
    '9 of 11, needs 6',
  ),
  row(
    'one of two network cards swapped',
    'bare-metal',
    other('bare-metal', /eno8303\/address$/),
    'passes',
    '11 of 11, needs 6',
  ),
  row(
    'disk swapped, system reinstalled',
    'bare-metal',
    other('bare-metal', DISK, MACHINE_ID),
    'drifts',
    '8 of 11, needs 6',
  ),
  row(
    'disk and network card swapped, reinstalled',
    'bare-metal',
    other('bare-metal', DISK, MACHINE_ID, OWN_CARD),
    'drifts',
    '6 of 11, needs 6',
  ),
  row(
    'the same, and another processor',
    'bare-metal',
    [
      'bare-metal',
      {
        files: { ...changed('bare-metal', DISK, MACHINE_ID, OWN_CARD), ...otherProcessor },
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
    [
      'bare-metal-twin',
      { files: take('bare-metal', new RegExp(`${DISK.source}|${MACHINE_ID.source}`)) },
    ],
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
          ...take('bare-metal', new RegExp(`${DISK.source}|${MACHINE_ID.source}`)),
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
  // Firmware that says nothing
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
    other('oem-placeholders', MACHINE_ID),
    'drifts',
    '5 of 6, needs 4',
  ),
  row(
    'placeholders, disk swapped',
    'oem-placeholders',
    other('oem-placeholders', DISK),
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
  // Rights
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
  // Virtual machines
  row('KVM: nothing changed', 'kvm', 'kvm', 'passes', '9 of 9, needs 5'),
  row(
    'KVM: moved to a host with other processors',
    'kvm',
    [
      'kvm',
      { files: change('kvm', PROCESSOR, (text) => text.replaceAll('Icelake', 'Cascadelake')) },
    ],
    'drifts',
    '8 of 9, needs 5',
  ),
  row('KVM: network card made anew', 'kvm', other('kvm', OWN_CARD), 'drifts', '7 of 9, needs 5'),
  row(
    'KVM: disk made anew, reinstalled',
    'kvm',
    other('kvm', DISK, MACHINE_ID),
    'drifts',
    '6 of 9, needs 5',
  ),
  row(
    'KVM: disk and network card made anew',
    'kvm',
    other('kvm', DISK, OWN_CARD),
    'HARDWARE_MISMATCH',
    '5 of 9, needs 5',
  ),
  row(
    'KVM: cloned, UUID and address new',
    'kvm',
    other('kvm', FIRMWARE, OWN_CARD),
    'HARDWARE_MISMATCH',
    '4 of 9, needs 5',
  ),
  row(
    'KVM: cloned, only the UUID new',
    'kvm',
    other('kvm', /product_uuid$/),
    'HARDWARE_MISMATCH',
    '6 of 9, needs 5',
  ),
  row('VMware: nothing changed', 'vmware', 'vmware', 'passes', '9 of 9, needs 5'),
  row(
    'VMware: network card made anew',
    'vmware',
    other('vmware', OWN_CARD),
    'HARDWARE_MISMATCH',
    '7 of 9, needs 5',
  ),
  row(
    'VMware: cloned',
    'vmware',
    other('vmware', FIRMWARE, OWN_CARD),
    'HARDWARE_MISMATCH',
    '2 of 9, needs 5',
  ),
  row('Hyper-V: nothing changed', 'hyper-v', 'hyper-v', 'passes', '11 of 11, needs 6'),
  row(
    'Hyper-V: address made anew',
    'hyper-v',
    other('hyper-v', /eth0\/address$/),
    'drifts',
    '9 of 11, needs 6',
  ),
  row('EC2: nothing changed', 'ec2', 'ec2', 'passes', '11 of 11, needs 6'),
  row(
    'EC2: volume restored from a snapshot',
    'ec2',
    other('ec2', DISK),
    'drifts',
    '9 of 11, needs 6',
  ),
  row(
    'EC2: instance launched from an image of this one',
    'ec2',
    other('ec2', FIRMWARE, OWN_CARD, DISK),
    'HARDWARE_MISMATCH',
    '2 of 11, needs 6',
  ),
  row(
    'virtual machine without root at issue',
    ['kvm', { files: { '/sys/class/dmi/id/product_uuid': { denied: true } }, isRoot: false }],
    'kvm',
    'not issued',
    '-',
  ),
  // Containers
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
    [
      'container',
      { files: take('bare-metal-twin', new RegExp(`${FIRMWARE.source}|${DISK.source}`)) },
    ],
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
  // Graphics cards
  gpuRow('nothing changed', CARD_A, 'passes', '1 of 1, needs 1'),
  gpuRow(
    'card in another host',
    ['bare-metal-twin', { files: take('gpus', /nvidia|pci\/devices|0000:c9:02/) }],
    'passes',
    '1 of 1, needs 1',
  ),
  gpuRow('UUID masked until the card is used', 'gpu-masked', 'passes', '1 of 1, needs 1'),
  gpuRow(
    'another card',
    [
      'gpus',
      {
        files: change('gpus', /information$/, (text) =>
          text.replace(/UUID: \t GPU-\w{4}/, 'UUID: \t GPU-0000'),
        ),
      },
    ],
    'GPU_MISMATCH',
    '0 of 1, needs 1',
  ),
  gpuRow('driver loaded, card not there yet', 'gpu-pending', 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow(
    'the licensed one of two cards not there yet',
    [
      'gpus',
      {
        files: change('gpus', /0000:ca:00.0\/information$/, (text) =>
          text.replaceAll(/GPU-[\w-]+/g, 'GPU-????????-????-????-????-????????????'),
        ),
      },
    ],
    'GPU_NOT_FOUND',
    '0 of 1, needs 1',
  ),
  gpuRow('card taken out', withoutCard, 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow('host without a card', 'bare-metal', 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow('MIG instance', 'gpu-mig', 'GPU_MISMATCH', '0 of 1, needs 1', 'allow'),
  gpuRow('vGPU', 'gpu-vgpu', 'GPU_MISMATCH', '0 of 1, needs 1'),
  gpuRow(
    'card in a container',
    ['container', { files: take('gpus', /nvidia/) }],
    'CONTAINER_DENIED',
    '1 of 1, needs 1',
  ),
  gpuRow(
    'the same, containers allowed',
    ['container', { files: take('gpus', /nvidia/) }],
    'passes',
    '1 of 1, needs 1',
    'allow',
  ),
];

function row(
  event: string,
  issuedFor: Host,
  checkedOn: Host,
  expected: Expected,
  score: string,
  container?: 'allow',
): MatrixRow {
  const allowance = container === undefined ? {} : ({ allowsContainer: true } as const);
  return { event, issuedFor, checkedOn, expected, score, ...allowance };
}

/** A licence for the first of two cards. */
function gpuRow(
  event: string,
  checkedOn: Host,
  expected: Expected,
  score: string,
  container?: 'allow',
): MatrixRow {
  return { ...row(`GPU: ${event}`, CARD_A, checkedOn, expected, score, container), tier: 'gpu' };
}

function mountedOver(name: string, path: string): Entries {
  return change(
    name,
    /mountinfo$/,
    (text) => `${text}99 23 8:2 /tmp/x ${path} rw - ext4 /dev/sda2 rw\n`,
  );
}
