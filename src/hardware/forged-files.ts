import { findMount, readMounts } from './mounts.ts';
import type { SystemFiles } from './system-files.ts';

/** File systems in which the kernel speaks, by where they belong. */
const kernelFolders = [
  { home: '/sys', fileSystem: 'sysfs' },
  { home: '/proc', fileSystem: 'proc' },
];

/** Texts of the installation and its services that hosts are told apart by. */
const ordinaryFiles = ['/etc/machine-id', '/var/lib/dbus/machine-id', '/run/udev/'];

/** A file of the kernel's, which the host's root owns wherever it is looked at. */
export const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/**
 * Whether user 0 is the host's own root here. It is not in a namespace that a user without root
 * made, who may mount there what they like and whose files look like root's.
 */
export function isRootOfHost(files: SystemFiles): boolean {
  return files.ownership(BOOT_ID_FILE)?.userId === 0;
}

/**
 * The same files without what was mounted over those that tell hosts apart: one `mount --bind` would
 * else turn a host into another. `tell` is given a sentence for each.
 *
 * What the kernel tells counts only where its own file system shows at its own place, as container
 * runtimes also mount pieces of it. Other files are root's to change anyway, also by mounting, as
 * systemd does for a machine id of this boot; where others may mount, they count only if they lie on
 * the root file system itself. Names and links are left as they are: only texts hold values.
 */
export function withoutForgedFiles(files: SystemFiles, tell: (note: string) => void): SystemFiles {
  const mounts = readMounts(files);

  function isForgedKernelFile(path: string, { home, fileSystem }: (typeof kernelFolders)[0]) {
    const real = files.realPath(path);
    if (real === undefined) return false; // nothing there to be forged
    const mount = findMount(mounts, real);
    return !(
      mount?.fileSystem === fileSystem &&
      `${mount.root === '/' ? '' : mount.root}${real.slice(mount.point.length)}` ===
        real.slice(home.length)
    );
  }

  function isForged(path: string): boolean {
    const folder = kernelFolders.find(({ home }) => path.startsWith(`${home}/`));
    return folder === undefined ? isForgedOrdinaryFile(path) : isForgedKernelFile(path, folder);
  }

  function isForgedOrdinaryFile(path: string): boolean {
    const isTelling = ordinaryFiles.some((start) => path.startsWith(start));
    if (!isTelling || isRootOfHost(believed)) return false;
    const real = files.realPath(path);
    return real !== undefined && !(real === path && findMount(mounts, real)?.point === '/');
  }
  const believed: SystemFiles = {
    ...files,
    readText(path) {
      if (!isForged(path)) return files.readText(path);
      tell(`${path} does not count: something else is mounted over it`);
      return { state: 'denied' };
    },
    ownership: (path) => (isForged(path) ? undefined : files.ownership(path)),
  };
  return believed;
}
