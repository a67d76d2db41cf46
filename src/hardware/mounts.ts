import type { SystemFiles } from './system-files.ts';

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly id: string;
  /** The mount that this one lies on; for the outermost none that is listed. */
  readonly parent: string;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Which folder of the file system is mounted. */
  readonly root: string;
  readonly point: string;
  readonly fileSystem: string;
  /** `/dev/sda2`, `overlay`, ... */
  readonly source: string;
}

/** All that this process can reach, in no order that could be relied on: mounts can be moved. */
export function readMounts(files: SystemFiles): readonly Mount[] {
  const mountInfo = files.readText('/proc/self/mountinfo');
  if (mountInfo.state !== 'read') return [];
  return mountInfo.text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const [id, parent, device, root, point] = before?.split(' ') ?? [];
    const [fileSystem, source] = after?.split(' ') ?? [];
    return id && parent && device && root && point && fileSystem && source
      ? [
          {
            id,
            parent,
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

/**
 * The mount that `path`, which goes through no links, lies on. Goes the kernel's own way, from mount
 * to mount on it; what is mounted over the root itself is on nobody's way.
 */
export function findMount(mounts: readonly Mount[], path: string): Mount | undefined {
  const ids = new Set(mounts.map(({ id }) => id));
  const isOutermost = ({ id, parent }: Mount) => parent === id || !ids.has(parent);
  const covering = mounts.filter(
    ({ point }) => point !== '/' && (path === point || path.startsWith(`${point}/`)),
  );
  let found = mounts.find((mount) => mount.point === '/' && isOutermost(mount));
  for (;;) {
    const here = found?.id;
    const [next] = covering
      .filter((mount) => (here === undefined ? isOutermost(mount) : mount.parent === here))
      .sort((a, b) => a.point.length - b.point.length);
    if (next === undefined) return found;
    found = next;
  }
}
