import { readdir, readFile, readlink } from 'node:fs/promises';

export interface PortListener {
  /** Undefined where only root may know. */
  readonly program: string | undefined;
}

/** State LISTEN in /proc/net/tcp. */
const LISTEN = '0A';

/** Who listens on a TCP port of this host, on whichever address; undefined where nobody does. */
export async function findListener(port: number): Promise<PortListener | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'latin1').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => findListeningSockets(table, port)));
  return inodes.size === 0 ? undefined : { program: await findProgram(inodes) };
}

/** The inodes of the sockets that listen on a port, by the text of `/proc/net/tcp`. */
function findListeningSockets(table: string, port: number): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const localPort = Number.parseInt(local.split(':')[1] ?? '', 16);
    return state === LISTEN && localPort === port && inode !== undefined ? [inode] : [];
  });
}

async function findProgram(inodes: ReadonlySet<string>): Promise<string | undefined> {
  const names = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const id of processes) {
    const descriptors = await readdir(`/proc/${id}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => '');
      if (names.has(target)) {
        const name = await readFile(`/proc/${id}/comm`, 'utf8').catch(() => '');
        return `${name.trim()} (process ${id})`;
      }
    }
  }
  return undefined;
}
