import { posix } from 'node:path';
import { normaliseSerial } from './dmi.ts';
import type { Finding } from './finding.ts';
import { type Mount, readMounts } from './mounts.ts';
import type { SystemFiles } from './system-files.ts';

/**
 * Where the root file system may be found, first of all itself. What follows lies on the same disk
 * where the root is in memory, on ZFS, or a container's layers.
 */
const mountPoints = [
  '/',
  '/usr',
  '/boot',
  '/boot/efi',
  '/efi',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
];

/** A tower of partitions, encryption, volumes and RAID is hardly higher. */
const MAXIMUM_LAYERS = 8;

/** The disks below the root file system; several when they mirror each other. */
export function readRootDisks(files: SystemFiles): Finding {
  const kind = 'root-disk';
  const disks = findRootDisks(files);
  if (disks.length === 0) {
    return { kind, values: [], note: 'no disk was found below the root file system' };
  }
  const values = disks.flatMap((disk) => readDiskSerial(files, disk) ?? []);
  return values.length === 0
    ? { kind, values, isMissing: true, note: 'the root disk tells no serial number' }
    : { kind, values: [...new Set(values)].sort() };
}

/** Folders below /sys/devices, such as `/sys/devices/pci0000:00/.../block/sda`. */
export function findRootDisks(files: SystemFiles): readonly string[] {
  const mounts = readMounts(files);
  for (const point of mountPoints) {
    const mount = mounts.findLast((one) => one.point === point);
    const device = mount && findBlockDevice(files, mount);
    if (device !== undefined) return findDisksBelow(files, device, MAXIMUM_LAYERS);
  }
  return [];
}

function findBlockDevice(files: SystemFiles, { device, source }: Mount): string | undefined {
  const byNumber = files.realPath(`/sys/dev/block/${device}`);
  if (byNumber !== undefined || !source.startsWith('/dev/')) return byNumber;
  // btrfs has a number of its own, and names a device: /dev/mapper/vg-root leads to /dev/dm-0.
  const name = posix.basename(files.realPath(source) ?? source);
  return files.realPath(`/sys/class/block/${name}`);
}

/** From a partition to its disk, from a volume to what it is made of. */
function findDisksBelow(files: SystemFiles, device: string, layers: number): readonly string[] {
  if (layers === 0) return [];
  if (files.readText(`${device}/partition`).state !== 'missing') {
    return findDisksBelow(files, posix.dirname(device), layers - 1);
  }
  const parts = files
    .list(`${device}/slaves`)
    .flatMap((name) => files.realPath(`${device}/slaves/${name}`) ?? []);
  return parts.length === 0
    ? [device]
    : [...new Set(parts.flatMap((part) => findDisksBelow(files, part, layers - 1)))];
}

function readDiskSerial(files: SystemFiles, disk: string): string | undefined {
  const sources = [
    () => readValue(files, `${disk}/device/serial`), // NVMe, MMC
    () => readValue(files, `${disk}/serial`), // virtio
    () => readUnitSerialNumber(files, `${disk}/device/vpd_pg80`), // SCSI, SATA
    () => readValue(files, `${disk}/device/wwid`),
    () => readValue(files, `${disk}/wwid`),
    () => readUdevSerial(files, disk),
  ];
  for (const read of sources) {
    const text = read();
    const serial = text === undefined ? undefined : normaliseSerial(text);
    if (serial !== undefined) return serial;
  }
  return undefined;
}

function readValue(files: SystemFiles, path: string): string | undefined {
  const reading = files.readText(path);
  return reading.state === 'read' ? reading.text : undefined;
}

/** SCSI's page 80h: type, page, length in two bytes, then the number in ASCII (SPC-4, 7.8.15). */
function readUnitSerialNumber(files: SystemFiles, path: string): string | undefined {
  const page = readValue(files, path);
  if (page === undefined || page.charCodeAt(1) !== 0x80) return undefined;
  return page.slice(4, 4 + page.charCodeAt(2) * 256 + page.charCodeAt(3));
}

function readUdevSerial(files: SystemFiles, disk: string): string | undefined {
  const number = readValue(files, `${disk}/dev`)?.trim();
  const properties = number && readValue(files, `/run/udev/data/b${number}`);
  return properties ? /^E:ID_SERIAL_SHORT=(.+)$/m.exec(properties)?.[1] : undefined;
}
