import { mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/**
 * A script for `unshare --mount --net sh -ec` in which the lines of `last` then run: this installation
 * in a chroot with another machine id, in a network of another address.
 */
export async function writeOtherHostScript(
  folder: string,
  last: (root: string) => string,
): Promise<string> {
  const root = join(folder, 'elsewhere');
  const machineId = join(folder, 'machine-id');
  await mkdir(root, { recursive: true });
  await writeFile(machineId, 'c0ffee00c0ffee11c0ffee22c0ffee33\n');
  // A made-up interface with this host's own address must not count as its card.
  const cards = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const address = cards.find(({ internal }) => !internal)?.mac ?? '02:00:00:00:00:01';
  return `mount --rbind / ${root}
    mount -t sysfs none ${root}/sys
    for f in etc/machine-id var/lib/dbus/machine-id; do
      if [ -e ${root}/$f ]; then mount --bind ${machineId} ${root}/$f; fi
    done
    ip link add eth0 address ${address} type veth peer name eth1
    ${last(root)}`;
}
