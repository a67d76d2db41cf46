import type { MachineKind } from './components.ts';
import { readCpuFields } from './cpu-model.ts';
import { findMount, readMounts } from './mounts.ts';
import { findRootDisks } from './root-disk.ts';
import type { SystemFiles } from './system-files.ts';

export interface Virtualization {
  readonly machine: MachineKind;
  /** What it runs in, as people call it. */
  readonly name?: string;
}

/** Linux' `PROC_PID_INIT_INO`: the namespace of processes that the system itself started in. */
const INITIAL_PROCESS_NAMESPACE = 'pid:[4026531836]';

/** What the firmware of virtual machines calls itself: vendor, then product. */
const hypervisors: readonly [name: string, pattern: RegExp][] = [
  ['vmware', /^vmware/im],
  ['virtualbox', /^(innotek gmbh|virtualbox)/im],
  ['hyperv', /^microsoft corporation[\s\S]*^virtual machine$/im],
  ['ec2', /^amazon ec2/im],
  ['google', /^google compute engine/im],
  ['xen', /^xen$|^hvm domu/im],
  ['parallels', /^parallels/im],
  ['bhyve', /^bhyve/im],
  ['openstack', /^openstack/im],
  ['alibaba', /^alibaba cloud/im],
  ['nutanix', /^ahv$|^nutanix/im],
  ['kvm', /^(qemu|kvm|bochs|standard pc|red hat|ovirt|rhev|digitalocean|hetzner|seabios)/im],
];

/** Whether this is a machine of its own, a virtual one, or a container in either. */
export function readVirtualization(files: SystemFiles): Virtualization {
  const container = findContainer(files);
  if (container !== undefined) return { machine: 'container', name: container };
  const hypervisor = findHypervisor(files);
  return hypervisor === undefined
    ? { machine: 'bare-metal' }
    : { machine: 'virtual', name: hypervisor };
}

function findContainer(files: SystemFiles): string | undefined {
  const read = (path: string) => {
    const reading = files.readText(path);
    return reading.state === 'read' ? reading.text : '';
  };
  const told =
    read('/run/systemd/container').trim() ||
    /(?:^|\0)container=([^\0]+)/.exec(read('/proc/1/environ'))?.[1];
  // Windows' subsystem calls itself a container and is a virtual machine.
  if (told && told !== 'wsl') return told;
  if (files.realPath('/run/.containerenv') !== undefined) return 'podman';
  const groups = read('/proc/1/cgroup');
  const runtime = /kubepods|docker|containerd|libpod|crio|lxc|garden/.exec(groups)?.[0];
  if (runtime !== undefined) return runtime === 'kubepods' ? 'kubernetes' : runtime;
  if (files.realPath('/proc/vz') !== undefined && files.realPath('/proc/bc') === undefined) {
    return 'openvz';
  }
  // A disk image that was made from a container image keeps the mark, and a service may have
  // processes of its own; only together with layers for a root is either a container.
  const rootFileSystem = findMount(readMounts(files), '/')?.fileSystem;
  const isLayered = rootFileSystem === 'overlay' || rootFileSystem === 'fuse-overlayfs';
  const isMarked = files.realPath('/.dockerenv') !== undefined;
  const isApart =
    (files.readLink('/proc/self/ns/pid') ?? INITIAL_PROCESS_NAMESPACE) !==
    INITIAL_PROCESS_NAMESPACE;
  if (isMarked && (isLayered || isApart || findRootDisks(files).length === 0)) return 'docker';
  return isLayered && isApart ? 'container' : undefined;
}

function findHypervisor(files: SystemFiles): string | undefined {
  const read = (path: string) => {
    const reading = files.readText(path);
    return reading.state === 'read' ? reading.text.trim() : '';
  };
  if (read('/sys/hypervisor/type') === 'xen') {
    // The first domain has the machine to itself.
    return read('/proc/xen/capabilities').includes('control_d') ? undefined : 'xen';
  }
  const product = read('/sys/class/dmi/id/product_name');
  const firmware = ['sys_vendor', 'board_vendor', 'bios_vendor']
    .map((name) => read(`/sys/class/dmi/id/${name}`))
    .concat(product)
    .join('\n');
  const isOwnMachine = /\.metal(-|$)/.test(product); // of Amazon's
  if (!isOwnMachine) {
    const known = hypervisors.find(([, pattern]) => pattern.test(firmware))?.[0];
    if (known !== undefined) return known;
  }
  if (files.realPath('/sys/firmware/devicetree/base/hypervisor') !== undefined) return 'kvm';
  const flags = readCpuFields(read('/proc/cpuinfo')).get('flags') ?? '';
  return flags.split(' ').includes('hypervisor') ? 'unknown hypervisor' : undefined;
}
