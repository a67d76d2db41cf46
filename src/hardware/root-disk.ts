import { posix } from 'node:path';
import { normaliseSerial } from './dmi.ts';
import type { Finding } from './finding.ts';
import { findMount, type Mount, readMounts } from './mounts.ts';
import type { SystemFiles, TextReading } from './system-files.ts';

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
  const readings = disks.map((disk) => readDiskSerial(files, disk));
  const values = readings.flatMap((one) => (one.state === 'read' ? one.text : []));
  if (values.length > 0) return { kind, values: [...new Set(values)].sort() };
  return readings.some(({ state }) => state === 'denied')
    ? { kind, values, isUnreadable: true, note: "this process may not read the root disk's number" }
    : { kind, values, isMissing: true, note: 'the root disk tells no serial number' };
}

/** Folders below /sys/devices, such as `/sys/devices/pci0000:00/.../block/sda`. */
export function findRootDisks(files: SystemFiles): readonly string[] {
  const mounts = readMounts(files);
  for (const point of mountPoints) {
    const mount = findMount(mounts, point);
    const device = mount?.point === point ? findBlockDevice(files, mount) : undefined;
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

/** From the first source that tells one. What it may not read it looks for nowhere else: not to find another. */
function readDiskSerial(files: SystemFiles, disk: string): TextReading {
  const sources = [
    () => files.readText(`${disk}/device/serial`), // NVMe, MMC
    () => files.readText(`${disk}/serial`), // virtio
    () => readUnitSerialNumber(files.readText(`${disk}/device/vpd_pg80`)), // SCSI, SATA
    () => files.readText(`${disk}/device/wwid`),
    () => files.readText(`${disk}/wwid`),
    () => readUdevSerial(files, disk),
  ];
  for (const read of sources) {
    const reading = read();
    if (reading.state === 'denied') return reading;
    const text = reading.state === 'read' ? normaliseSerial(reading.text) : undefined;
    if (text !== undefined) return { state: 'read', text };
  }
  return { state: 'missing' };
}

/** SCSI's page 80h: type, page, length in two bytes, then the number in ASCII (SPC-4, 7.8.15). */
function readUnitSerialNumber(page: TextReading): TextReading {
  if (page.state !== 'read') return page;
  const { text } = page;
  if (text.charCodeAt(1) !== 0x80) return { state: 'missing' };
  return { state: 'read', text: text.slice(4, 4 + text.charCodeAt(2) * 256 + text.charCodeAt(3)) };
}

function readUdevSerial(files: SystemFiles, disk: string): TextReading {
  const number = files.readText(`${disk}/dev`);
  if (number.state !== 'read') return number;
  const properties = files.readText(`/run/udev/data/b${number.text.trim()}`);
  if (properties.state !== 'read') return properties;
  const text = /^E:ID_SERIAL_SHORT=(.+)$/m.exec(properties.text)?.[1];
  return text === undefined ? { state: 'missing' } : { state: 'read', text };
}
