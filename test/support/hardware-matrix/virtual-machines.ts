import { change, DISK, FIRMWARE, MACHINE_ID, OWN_CARD, PROCESSOR, renewed } from './changes.ts';
import { type MatrixRow, row } from './row.ts';

/** Virtual machines. */
export const virtualMachineRows: readonly MatrixRow[] = [
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
  row('KVM: network card made anew', 'kvm', renewed('kvm', OWN_CARD), 'drifts', '7 of 9, needs 5'),
  row(
    'KVM: disk made anew, reinstalled',
    'kvm',
    renewed('kvm', DISK, MACHINE_ID),
    'drifts',
    '6 of 9, needs 5',
  ),
  row(
    'KVM: disk and network card made anew',
    'kvm',
    renewed('kvm', DISK, OWN_CARD),
    'HARDWARE_MISMATCH',
    '5 of 9, needs 5',
  ),
  row(
    'KVM: cloned, UUID and address new',
    'kvm',
    renewed('kvm', FIRMWARE, OWN_CARD),
    'HARDWARE_MISMATCH',
    '4 of 9, needs 5',
  ),
  row(
    'KVM: cloned, only the UUID new',
    'kvm',
    renewed('kvm', /product_uuid$/),
    'HARDWARE_MISMATCH',
    '6 of 9, needs 5',
  ),
  row('VMware: nothing changed', 'vmware', 'vmware', 'passes', '9 of 9, needs 5'),
  row(
    'VMware: network card made anew',
    'vmware',
    renewed('vmware', OWN_CARD),
    'HARDWARE_MISMATCH',
    '7 of 9, needs 5',
  ),
  row(
    'VMware: cloned',
    'vmware',
    renewed('vmware', FIRMWARE, OWN_CARD),
    'HARDWARE_MISMATCH',
    '2 of 9, needs 5',
  ),
  row('Hyper-V: nothing changed', 'hyper-v', 'hyper-v', 'passes', '11 of 11, needs 6'),
  row(
    'Hyper-V: address made anew',
    'hyper-v',
    renewed('hyper-v', /eth0\/address$/),
    'drifts',
    '9 of 11, needs 6',
  ),
  row('EC2: nothing changed', 'ec2', 'ec2', 'passes', '11 of 11, needs 6'),
  row(
    'EC2: volume restored from a snapshot',
    'ec2',
    renewed('ec2', DISK),
    'drifts',
    '9 of 11, needs 6',
  ),
  row(
    'EC2: instance launched from an image of this one',
    'ec2',
    renewed('ec2', FIRMWARE, OWN_CARD, DISK),
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
];
