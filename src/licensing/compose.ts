import { err, ok, type Result } from '../core/result.ts';
import type { ComponentKind, HostFacts, MachineKind } from '../hardware/components.ts';
import { type GpuFingerprint, type HostFingerprint, saltDigest, weigh, weightOf } from './match.ts';

/** What a host tells of its hardware, salted: the part of a request that a licence is bound to. */
export interface OfferedHardware {
  /** 16 bytes, base64url. */
  readonly salt: string;
  readonly machine: MachineKind;
  /** `hash`: `saltDigest`. */
  readonly components: readonly { readonly kind: ComponentKind; readonly hash: string }[];
  readonly gpus: readonly string[];
}

/** A request has room for so many of a kind: the cards of the first slots, some mirrored disks. */
const MAXIMUM_OF_A_KIND = 4;
const MAXIMUM_GPUS = 16;

/** Salts what was found for a request, within the room that it has. */
export function offerHardware(facts: HostFacts, salt: string): OfferedHardware {
  const hashes = facts.components
    .filter(
      ({ kind }, index, all) =>
        all.slice(0, index).filter((one) => one.kind === kind).length < MAXIMUM_OF_A_KIND,
    )
    .map(({ kind, digest }) => ({ kind, hash: saltDigest(salt, kind, digest) }));
  const digests = facts.gpus.state === 'present' ? facts.gpus.digests : [];
  return {
    salt,
    machine: facts.machine,
    components: hashes,
    gpus: digests.slice(0, MAXIMUM_GPUS).map((digest) => saltDigest(salt, 'gpu', digest)),
  };
}

/**
 * What a licence for this host is bound to. `strict` refuses what would not tell this host from
 * others; without it whatever there is must do, as for an evaluation. The error is a sentence for
 * the vendor.
 */
export function composeHostFingerprint(
  { salt, machine, components }: OfferedHardware,
  { strict }: { readonly strict: boolean },
): Result<HostFingerprint, string> {
  const kinds = components.map(({ kind }) => kind);
  const has = (...some: ComponentKind[]) => some.some((kind) => kinds.includes(kind));
  const weak = strict ? findWeakness(machine, has) : undefined;
  if (weak !== undefined) return err(weak);
  if (components.length === 0) return err('nothing was found that tells this host from others');
  return ok({
    schema: 1,
    salt,
    need: weigh(kinds).need,
    components: components.map(({ kind, hash }) => ({ k: kind, h: hash, w: weightOf(kind) })),
  });
}

function findWeakness(
  machine: MachineKind,
  has: (...some: ComponentKind[]) => boolean,
): string | undefined {
  const again = 'a request made as root may have it, if the server runs as root, too';
  if (machine === 'virtual') {
    return has('product-uuid') && has('root-disk', 'network-card')
      ? undefined
      : `a virtual machine is known by its UUID and by its disk or network card, which this request lacks; ${again}`;
  }
  const hasAnchor =
    has('product-uuid', 'board-serial', 'product-serial') ||
    (has('root-disk') && has('network-card'));
  return hasAnchor
    ? undefined
    : `a host is known by its UUID or a serial number, else by disk and network card, and this request has neither; ${again}`;
}

/** What a licence for one card is bound to; `index` says which where a request names several. */
export function composeGpuFingerprint(
  { salt, gpus }: OfferedHardware,
  index?: number,
): Result<GpuFingerprint, string> {
  if (gpus.length > 1 && index === undefined) {
    return err(
      `the request names ${gpus.length} graphics cards: choose one, 0 to ${gpus.length - 1}`,
    );
  }
  const gpu = gpus[index ?? 0];
  if (gpu !== undefined) return ok({ schema: 1, salt, gpu });
  return err(
    gpus.length === 0
      ? 'the request names no graphics card'
      : `the request names graphics cards 0 to ${gpus.length - 1}, not ${index}`,
  );
}
