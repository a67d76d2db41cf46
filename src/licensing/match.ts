import { createHmac } from 'node:crypto';
import type { ComponentKind, GpuFacts, HostFacts } from '../hardware/components.ts';

/**
 * A host is recognised by slots. One slot counts once, by whichever of its components matches: the
 * board's or the machine's serial number, any card, any of the mirrored disks.
 */
interface Slot {
  readonly kinds: readonly ComponentKind[];
  readonly weight: number;
}

const slots = {
  uuid: { kinds: ['product-uuid'], weight: 3 },
  serial: { kinds: ['board-serial', 'product-serial'], weight: 2 },
  disk: { kinds: ['root-disk'], weight: 2 },
  network: { kinds: ['network-card'], weight: 2 },
  installation: { kinds: ['machine-id'], weight: 1 },
  processor: { kinds: ['cpu-model'], weight: 1 },
} as const satisfies Record<string, Slot>;

type SlotName = keyof typeof slots;
const slotNames = Object.keys(slots) as readonly SlotName[];

const FULL_WEIGHT = 11;
/** Of `FULL_WEIGHT`; in proportion, rounded up, where components were absent at issue. */
const FULL_NEED = 6;

export interface HostFingerprint {
  readonly schema: 1;
  /** 16 bytes, base64url. */
  readonly salt: string;
  readonly need: number;
  /** `k`: a `ComponentKind`; `h`: its `saltDigest`; `w`: the weight of its slot. */
  readonly components: readonly {
    readonly k: string;
    readonly h: string;
    readonly w: number;
  }[];
}

export interface GpuFingerprint {
  readonly schema: 1;
  readonly salt: string;
  readonly gpu: string;
}

/** What a licence is bound to: a host or one graphics card. */
export type Fingerprint = HostFingerprint | GpuFingerprint;

export type MatchFailure =
  | 'HARDWARE_MISMATCH'
  | 'GPU_MISMATCH'
  | 'GPU_NOT_FOUND'
  | 'CONTAINER_DENIED';

interface ComponentMatch {
  /** A `ComponentKind`, or `gpu`. */
  readonly kind: string;
  readonly matches: boolean;
  /** Why it does not. */
  readonly found?: 'other' | 'none' | 'unreadable';
}

export interface HardwareMatch {
  readonly ok: boolean;
  readonly score: number;
  readonly need: number;
  readonly of: number;
  /** Whether it is this host although something no longer matches: time for a new licence. */
  readonly drift: boolean;
  readonly components: readonly ComponentMatch[];
  readonly failure?: MatchFailure;
  /** A sentence for people, with a failure. */
  readonly detail?: string;
}

/**
 * What stands in licences and requests for a component: HMAC-SHA-256 of kind, NUL and digest under
 * the salt, the first 8 bytes as base64url (11 characters). Equal serials of two customers look
 * different.
 *
 * @param salt 16 bytes, base64url
 * @param digest `digestValue` of hardware/components.ts
 */
export function saltDigest(salt: string, kind: ComponentKind | 'gpu', digest: string): string {
  return createHmac('sha256', Buffer.from(salt, 'base64url'))
    .update(`${kind}\0`)
    .update(Buffer.from(digest, 'hex'))
    .digest()
    .subarray(0, 8)
    .toString('base64url');
}

export function weightOf(kind: ComponentKind): number {
  return slots[slotOf(kind) as SlotName].weight;
}

/** A kind that is in no slot, of a later release's licence, is one of its own. */
function slotOf(kind: string): string {
  return slotNames.find((name) => (slots[name].kinds as readonly string[]).includes(kind)) ?? kind;
}

/** The weight of all slots of which there is something, and how much of it must match. */
export function weigh(kinds: readonly ComponentKind[]): {
  readonly of: number;
  readonly need: number;
} {
  const of = sum(new Map(kinds.map((kind) => [slotOf(kind), weightOf(kind)])));
  return { of, need: Math.ceil((FULL_NEED * of) / FULL_WEIGHT) };
}

/** Weights by slot. */
type Weights = ReadonlyMap<string, number>;

function sum(weights: Weights): number {
  return weights.values().reduce((total, weight) => total + weight, 0);
}

/**
 * Whether the hardware of `facts` is that of a licence. Pure.
 *
 * A host needs its score and its anchor: the UUID or a serial number where there was one at issue,
 * else disk and network card; a virtual machine its UUID and one of those two. What cannot be read
 * does not match.
 */
export function matchFingerprint(
  fingerprint: Fingerprint,
  facts: HostFacts,
  { allowsContainer }: { readonly allowsContainer: boolean },
): HardwareMatch {
  const match =
    'gpu' in fingerprint ? matchGpu(fingerprint, facts.gpus) : matchHost(fingerprint, facts);
  if (facts.machine !== 'container' || allowsContainer) return match;
  return {
    ...match,
    ok: false,
    drift: false,
    failure: 'CONTAINER_DENIED',
    detail: `this runs in a container (${facts.virtualization ?? 'of an unknown kind'}), and the licence is for a host outside of one`,
  };
}

function matchGpu({ salt, gpu }: GpuFingerprint, gpus: GpuFacts): HardwareMatch {
  const measure = (matches: boolean) => ({ score: matches ? 1 : 0, need: 1, of: 1, drift: false });
  const refuse = (failure: MatchFailure, found: 'other' | 'none', detail: string) => ({
    ok: false,
    ...measure(false),
    components: [{ kind: 'gpu', matches: false, found } as const],
    failure,
    detail,
  });
  if (gpus.state === 'none') {
    return refuse('GPU_NOT_FOUND', 'none', 'this host has no graphics card of NVIDIA');
  }
  if (gpus.state === 'pending') {
    return refuse('GPU_NOT_FOUND', 'none', `no graphics card is there yet: ${gpus.reason}`);
  }
  if (gpus.digests.some((digest) => saltDigest(salt, 'gpu', digest) === gpu)) {
    return { ok: true, ...measure(true), components: [{ kind: 'gpu', matches: true }] };
  }
  if (gpus.pendingReason !== undefined) {
    const detail = `the licensed graphics card is not there yet: ${gpus.pendingReason}`;
    return refuse('GPU_NOT_FOUND', 'none', detail);
  }
  const shares = gpus.refused.length === 0 ? '' : `; not counted: ${gpus.refused.join(', ')}`;
  return refuse(
    'GPU_MISMATCH',
    'other',
    `none of the ${gpus.digests.length} graphics cards here is the licensed one${shares}`,
  );
}

function matchHost(fingerprint: HostFingerprint, facts: HostFacts): HardwareMatch {
  const present = new Set(
    facts.components.map(({ kind, digest }) => saltDigest(fingerprint.salt, kind, digest)),
  );
  const weighSlots = (some: HostFingerprint['components']): Weights =>
    new Map(some.map(({ k, w }) => [slotOf(k), w]));
  const issued = weighSlots(fingerprint.components);
  const matched = weighSlots(fingerprint.components.filter(({ h }) => present.has(h)));
  const kinds = [...new Set(fingerprint.components.map(({ k }) => k))];
  const score = sum(matched);
  const measure = { score, need: fingerprint.need, of: sum(issued) };
  const components = kinds.map((kind) =>
    matchComponent(
      kind,
      fingerprint.components.some(({ k, h }) => k === kind && present.has(h)),
      facts,
    ),
  );
  const missing = findMissingAnchor(issued, matched, facts);
  if (score < fingerprint.need || missing !== undefined) {
    const reason = missing ?? 'too little of the licensed hardware is here';
    return {
      ok: false,
      ...measure,
      drift: false,
      components,
      failure: 'HARDWARE_MISMATCH',
      detail: `${reason} (matching ${score} of ${measure.of}, needed ${fingerprint.need})`,
    };
  }
  return { ok: true, ...measure, drift: matched.size < issued.size, components };
}

function matchComponent(kind: string, matches: boolean, facts: HostFacts): ComponentMatch {
  if (matches) return { kind, matches };
  if (facts.components.some((one) => one.kind === kind)) return { kind, matches, found: 'other' };
  const isUnreadable = facts.unreadable.some((one) => one === kind);
  return { kind, matches, found: isUnreadable ? 'unreadable' : 'none' };
}

/** What must match whatever the score, and does not. */
function findMissingAnchor(
  issued: Weights,
  matched: Weights,
  facts: HostFacts,
): string | undefined {
  const lacksAll = (names: readonly SlotName[]) =>
    names.some((name) => issued.has(name)) && !names.some((name) => matched.has(name));
  const advice = facts.unreadable.some(
    (kind) => slotOf(kind) === 'uuid' || slotOf(kind) === 'serial',
  )
    ? ', of which this process may not read all'
    : '';
  if (facts.machine === 'virtual' && issued.has('uuid')) {
    if (!matched.has('uuid')) return `the virtual machine has another UUID${advice}`;
    return lacksAll(['disk', 'network'])
      ? 'the virtual machine has another disk and other network cards'
      : undefined;
  }
  if (issued.has('uuid') || issued.has('serial')) {
    return lacksAll(['uuid', 'serial'])
      ? `neither the machine's UUID nor a serial number matches${advice}`
      : undefined;
  }
  return lacksAll(['disk']) || lacksAll(['network'])
    ? 'without a UUID and serial numbers both disk and network card must match'
    : undefined;
}
