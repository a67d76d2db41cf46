import { expect, test } from 'vitest';
import { type Changes, readRecordedHost } from '../support/recorded-host.ts';

const machineOf = async (name: string, files: Changes['files']) => {
  const { machine, virtualization } = await readRecordedHost(name, { files: files ?? {} });
  return [machine, virtualization];
};

const FOREIGN_PROCESSES = { '/proc/self/ns/pid': { link: 'pid:[4026533011]' } };

test.each<[string, Changes['files'], string]>([
  ['podman', { '/run/.containerenv': '' }, 'podman'],
  ['systemd-nspawn', { '/run/systemd/container': 'systemd-nspawn\n' }, 'systemd-nspawn'],
  ['LXC', { '/proc/1/environ': 'TERM=linux\0container=lxc\0' }, 'lxc'],
  ['Kubernetes', { '/proc/1/cgroup': '0::/kubepods.slice/kubepods-pod1.slice\n' }, 'kubernetes'],
  ['Docker on cgroup v1', { '/proc/1/cgroup': '12:pids:/docker/3c1f9d0a7b52\n' }, 'docker'],
  ['Docker on a disk of its own', { '/.dockerenv': '', ...FOREIGN_PROCESSES }, 'docker'],
])('sees a container of %s', async (_, files, name) => {
  expect(await machineOf('bare-metal', files)).toEqual(['container', name]);
});

test('sees a container whose runtime left no mark', async () => {
  const files = { '/.dockerenv': null, '/proc/1/environ': { denied: true } } as const;
  expect(await machineOf('container', files)).toEqual(['container', 'container']);
});

test.each<[string, Changes['files']]>([
  ['a service with processes of its own', FOREIGN_PROCESSES],
  ["a disk image that kept Docker's mark", { '/.dockerenv': '' }],
  [
    'a root in layers over a disk that is only read',
    {
      '/proc/self/mountinfo':
        '22 28 0:21 / /proc rw - proc proc rw\n23 28 0:20 / /sys rw - sysfs sysfs rw\n28 1 0:40 / / rw - overlay overlayroot rw\n',
    },
  ],
])('takes %s for no container', async (_, files) => {
  expect(await machineOf('bare-metal', files)).toEqual(['bare-metal', undefined]);
});

test('a machine that Amazon lends as a whole is not virtual', async () => {
  const files = { '/sys/class/dmi/id/product_name': 'c6i.metal\n' };
  const cpuInfo = 'processor\t: 0\nmodel name\t: Intel(R) Xeon(R)\nflags\t\t: fpu sse2\n\n';
  expect(await machineOf('ec2', { ...files, '/proc/cpuinfo': cpuInfo })).toEqual([
    'bare-metal',
    undefined,
  ]);
});

test('the first domain of Xen has the machine to itself', async () => {
  const xen = { '/sys/hypervisor/type': 'xen\n' };
  expect(await machineOf('bare-metal', xen)).toEqual(['virtual', 'xen']);
  expect(
    await machineOf('bare-metal', { ...xen, '/proc/xen/capabilities': 'control_d\n' }),
  ).toEqual(['bare-metal', undefined]);
});

test('a hypervisor that only the processor tells of is one', async () => {
  const dmi = ['sys_vendor', 'product_name', 'bios_vendor', 'board_vendor'];
  const files = Object.fromEntries(dmi.map((name) => [`/sys/class/dmi/id/${name}`, null]));
  expect(await machineOf('kvm', files)).toEqual(['virtual', 'unknown hypervisor']);
});
