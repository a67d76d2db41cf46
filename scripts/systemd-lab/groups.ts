/** Control groups, which are no namespace's own: they outlast the processes that were in them. */
import { glob, readdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PREFIX = 'edge-infer-lab';
const CONTROL_GROUPS = '/sys/fs/cgroup';
const REMOVAL_TIMEOUT_MS = 5000;

let made = 0;

/** A name for the groups of a boot: no other lab's, and telling whose it is. */
export function nameGroup(): string {
  return `${PREFIX}-${process.pid}-${++made}`;
}

/** Removes the groups of a boot that has ended. */
export async function removeGroup(group: string): Promise<void> {
  const deadline = performance.now() + REMOVAL_TIMEOUT_MS;
  for (const folder of await findGroups((name) => name === group)) {
    // The kernel takes processes out of a group a little after they have ended.
    while (!(await removeTree(folder)) && performance.now() < deadline) {
      await sleep(20);
    }
  }
}

/** Removes what labs have left behind that were killed. */
export async function removeStaleGroups(): Promise<void> {
  const stale = await findGroups((name) => {
    const owner = new RegExp(`^${PREFIX}-(\\d+)-\\d+$`).exec(name)?.[1];
    return owner !== undefined && !isRunning(Number(owner));
  });
  await Promise.all(stale.map(removeTree));
}

/** boot.sh makes them below the group that it is in, which need not be the one of this process. */
async function findGroups(isWanted: (name: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for await (const path of glob(`${CONTROL_GROUPS}/**/${PREFIX}-*`)) {
    if (isWanted(basename(path))) {
      found.push(path);
    }
  }
  return found;
}

async function removeTree(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory()) {
      await removeTree(join(folder, entry.name));
    }
  }
  return rmdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
