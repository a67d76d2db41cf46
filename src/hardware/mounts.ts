import type { SystemFiles } from './system-files.ts';

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Which folder of the file system is mounted. */
  readonly root: string;
  readonly point: string;
  readonly fileSystem: string;
  /** `/dev/sda2`, `overlay`, ... */
  readonly source: string;
}

/** In the order in which they were mounted: a later one hides an earlier one. */
export function readMounts(files: SystemFiles): readonly Mount[] {
  const mountInfo = files.readText('/proc/self/mountinfo');
  if (mountInfo.state !== 'read') return [];
  return mountInfo.text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const [, , device, root, point] = before?.split(' ') ?? [];
    const [fileSystem, source] = after?.split(' ') ?? [];
    return device && root && point && fileSystem && source
      ? [
          {
            device,
            root: readEscapes(root),
            point: readEscapes(point),
            fileSystem,
            source: readEscapes(source),
          },
        ]
      : [];
  });
}

/** Spaces, tabs, line feeds and backslashes are written as three octal digits. */
function readEscapes(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

const guarded = [
  { folder: '/sys', fileSystem: 'sysfs' },
  { folder: '/proc/driver', fileSystem: 'proc' },
];

/**
 * The same files without what was mounted over those in which the kernel tells of hardware: one
 * `mount --bind` would else turn a host into another. Names and links are left as they are: only
 * texts hold values. Container runtimes mount pieces of /sys and /proc onto their own places, which
 * stay readable.
 */
export function withoutForgedFiles(files: SystemFiles): SystemFiles {
  const mounts = readMounts(files);

  function isForged(path: string): boolean {
    const guard = guarded.find(({ folder }) => path.startsWith(`${folder}/`));
    if (guard === undefined) return false;
    const real = files.realPath(path);
    if (real === undefined) return false; // nothing there to be forged
    const mount = mounts.findLast(({ point }) => real === point || real.startsWith(`${point}/`));
    const home = guard.folder.startsWith('/proc') ? '/proc' : '/sys';
    return !(
      mount?.fileSystem === guard.fileSystem &&
      `${mount.root === '/' ? '' : mount.root}${real.slice(mount.point.length)}` ===
        real.slice(home.length)
    );
  }

  return {
    readText: (path) => (isForged(path) ? { state: 'denied' } : files.readText(path)),
    list: files.list,
    readLink: files.readLink,
    realPath: files.realPath,
    ownership: files.ownership,
  };
}
