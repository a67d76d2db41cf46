import { createHmac } from 'node:crypto';

/** What a host is recognised by, in the order in which people are shown it. */
export const componentKinds = [
  'product-uuid',
  'board-serial',
  'product-serial',
  'root-disk',
  'network-card',
  'machine-id',
  'cpu-model',
] as const;

export type ComponentKind = (typeof componentKinds)[number];

/** One recognised part of a host. There may be several of a kind: network cards, mirrored disks. */
export interface Component {
  readonly kind: ComponentKind;
  /** `digestValue(kind, value)`. Raw values never leave the process that reads them. */
  readonly digest: string;
}

export type MachineKind = 'bare-metal' | 'virtual' | 'container';

export type GpuFacts =
  | { readonly state: 'none' }
  /** There is a card or its driver, but no UUID yet: another look later may find one. */
  | { readonly state: 'pending'; readonly reason: string }
  | {
      readonly state: 'present';
      /** `digestValue('gpu', uuid)` of each whole card, in the order of their slots. */
      readonly digests: readonly string[];
      /** Shares of cards, which are no cards of their own: their kind and model, no UUIDs. */
      readonly refused: readonly string[];
      /** Why the list may yet grow, when it may. */
      readonly pendingReason?: string;
    };

/** What this host is, as plain data without any raw serial number. */
export interface HostFacts {
  readonly components: readonly Component[];
  /** Kinds that this host has or may have, and this process may not read. */
  readonly unreadable: readonly ComponentKind[];
  readonly machine: MachineKind;
  /** `kvm`, `vmware`, `docker`, ...: for people to read. */
  readonly virtualization?: string;
  readonly gpus: GpuFacts;
  /** What could not be read and why, a sentence each, without values. */
  readonly notes: readonly string[];
}

/**
 * The first hash of a component: HMAC-SHA-256 of its normalised value under a fixed key that names
 * the kind, as 64 hexadecimal digits. A licence salts and hashes it again (licensing/match.ts).
 */
export function digestValue(kind: ComponentKind | 'gpu', value: string): string {
  return createHmac('sha256', `edge-infer hardware v1 ${kind}`).update(value, 'utf8').digest('hex');
}
