import { expect, test } from 'vitest';
import type { ComponentKind, MachineKind } from '../../src/hardware/components.ts';
import { load, readRecordedHost } from '../support/recorded-host.ts';

interface Expected {
  readonly machine: MachineKind;
  readonly virtualization?: string;
  /** How many of each kind; kinds not named are absent. */
  readonly components: Partial<Record<ComponentKind, number>>;
  readonly unreadable?: readonly ComponentKind[];
}

const installed = { 'root-disk': 1, 'network-card': 1, 'machine-id': 1, 'cpu-model': 1 };
const whole = { 'product-uuid': 1, 'board-serial': 1, 'product-serial': 1, ...installed };

const hosts: Record<string, Expected> = {
  'bare-metal': { machine: 'bare-metal', components: { ...whole, 'network-card': 2 } },
  'bare-metal-twin': { machine: 'bare-metal', components: { ...whole, 'network-card': 2 } },
  'without-root': {
    machine: 'bare-metal',
    components: { ...installed, 'network-card': 2 },
    unreadable: ['product-uuid', 'board-serial', 'product-serial'],
  },
  'lvm-on-nvme': { machine: 'bare-metal', components: whole },
  // Two disks mirror each other, four ports are on board; bridges, ends and a USB adapter do not count.
  'many-interfaces': {
    machine: 'bare-metal',
    components: { ...whole, 'root-disk': 2, 'network-card': 4 },
  },
  // Firmware full of placeholders; the Wi-Fi card's own address comes from iproute2.
  'oem-placeholders': {
    machine: 'bare-metal',
    components: { ...installed, 'network-card': 2 },
  },
  kvm: {
    machine: 'virtual',
    virtualization: 'kvm',
    components: { 'product-uuid': 1, ...installed },
  },
  vmware: {
    machine: 'virtual',
    virtualization: 'vmware',
    components: {
      'product-uuid': 1,
      'product-serial': 1,
      'network-card': 1,
      'machine-id': 1,
      'cpu-model': 1,
    },
  },
  'hyper-v': { machine: 'virtual', virtualization: 'hyperv', components: whole },
  ec2: {
    machine: 'virtual',
    virtualization: 'ec2',
    components: { 'product-uuid': 1, 'product-serial': 1, ...installed },
  },
  container: {
    machine: 'container',
    virtualization: 'docker',
    components: {
      'product-uuid': 1,
      'board-serial': 1,
      'product-serial': 1,
      'root-disk': 1,
      'cpu-model': 1,
    },
  },
};

test.each(Object.entries(hosts))('reads %s', async (name, expected) => {
  const facts = await readRecordedHost(name);
  const counts: Partial<Record<ComponentKind, number>> = {};
  for (const { kind } of facts.components) {
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  expect({
    machine: facts.machine,
    virtualization: facts.virtualization,
    components: counts,
    unreadable: facts.unreadable,
  }).toEqual({ virtualization: undefined, unreadable: [], ...expected });
});

test.each(Object.keys(hosts))('tells no value of %s', async (name) => {
  const told = JSON.stringify(await readRecordedHost(name)).toLowerCase();
  const values = Object.entries(load(name).files)
    .filter(([path]) => /uuid|serial|address|wwid|vpd_pg80|machine-id/.test(path))
    .map(([, entry]) => (typeof entry === 'string' ? entry.slice(4).trim().toLowerCase() : ''))
    .filter((value) => value.length > 3);
  expect(values.length).toBeGreaterThan(2);
  for (const value of values) {
    expect(told).not.toContain(value);
  }
});

test('the same parts give the same digests inside and outside of a container', async () => {
  const digestsOf = async (name: string) =>
    new Set((await readRecordedHost(name)).components.map(({ digest }) => digest));
  const inside = await digestsOf('container');
  expect(inside.isSubsetOf(await digestsOf('bare-metal'))).toBe(true);
});

test('two servers of one model share nothing but their processor', async () => {
  const one = await readRecordedHost('bare-metal');
  const two = await readRecordedHost('bare-metal-twin');
  const digests = new Set(one.components.map(({ digest }) => digest));
  const shared = two.components.filter(({ digest }) => digests.has(digest));
  expect(shared.map(({ kind }) => kind)).toEqual(['cpu-model']);
});

test('what is mounted over a file of the kernel is not believed', async () => {
  const mountInfo = load('bare-metal').files['/proc/self/mountinfo'] as string;
  const readWith = async (mount: string) => {
    const files = { '/proc/self/mountinfo': `${mountInfo}${mount}\n` };
    const { components } = await readRecordedHost('bare-metal', { files });
    return new Set(components.map(({ kind }) => kind));
  };
  const uuid = '/sys/class/dmi/id/product_uuid';
  const disk = `99 23 8:2 /tmp/fake ${uuid} rw - ext4 /dev/sda2 rw`;
  expect(await readWith(disk)).not.toContain('product-uuid');
  // Another file of the kernel, which root can fill.
  const alias = `99 23 0:20 /class/net/eno8303/ifalias ${uuid} rw - sysfs sysfs rw`;
  expect(await readWith(alias)).not.toContain('product-uuid');
  const all = '99 23 0:77 / /sys rw - tmpfs tmpfs rw';
  expect(await readWith(all)).toEqual(new Set(['machine-id', 'cpu-model']));
  // As container runtimes do: a piece onto its own place.
  const own = '99 23 0:20 /class /sys/class ro - sysfs sysfs ro';
  expect(await readWith(own)).toContain('product-uuid');
});
