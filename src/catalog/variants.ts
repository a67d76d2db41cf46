import { err, ok, type Result } from '../core/result.ts';
import type { Manifest } from './manifest.ts';

type VariantName = Manifest['variant'];

/** What a service asks for; `auto`: int8 where this host has what that needs, else float32. */
export type VariantPreference = VariantName | 'auto';

/** What a variant may need and may find here. */
export interface VariantHost {
  /** What the configuration asks for. */
  readonly device: 'auto' | 'cpu' | 'cuda';
  /** Whether `auto` may come to run on a GPU here. */
  readonly hasCudaProvider: boolean;
  readonly cpuFeatures: readonly string[];
}

type FurtherVariant = NonNullable<Manifest['variants']>['int8'];

/** One variant of a model. */
export interface Variant extends Pick<Manifest, 'model' | 'golden'> {
  readonly name: VariantName;
  readonly needs: FurtherVariant['needs'];
  /** With the reference; absent for the reference itself. */
  readonly agreement?: FurtherVariant['agreement'];
}

/** The variant that runs, and why. */
export interface ChosenVariant extends Pick<Variant, 'name' | 'needs' | 'agreement'> {
  readonly reason: string;
}

/** A model's variants, the reference first. */
export function listVariants(manifest: Manifest): readonly [Variant, ...Variant[]] {
  const { variant: name, model, golden, variants } = manifest;
  const reference: Variant = { name, model, golden, needs: {} };
  return variants === undefined ? [reference] : [reference, { name: 'int8', ...variants.int8 }];
}

/** The manifest as it would be if this variant were the only one. */
export function manifestOfVariant(manifest: Manifest, name: VariantName): Manifest {
  const { variants: _, ...shared } = manifest;
  const all = listVariants(manifest);
  const { model, golden } = all.find((variant) => variant.name === name) ?? all[0];
  return { ...shared, variant: name, model, golden };
}

/**
 * Decides which variant of a model is served on a host. A variant that is asked for by name is
 * never replaced by another; the error says what was expected, what was found and what to do.
 */
export function chooseVariant(
  manifest: Manifest,
  wanted: VariantPreference,
  host: VariantHost,
): Result<ChosenVariant, string> {
  const all = listVariants(manifest);
  const [reference, ...further] = all;
  // float32 is the default too, so it refuses no model that exists in one variant only.
  if (further.length === 0 && wanted !== 'int8') {
    return ok(describe(reference, 'the model has no other'));
  }
  if (wanted === 'auto') {
    return ok(chooseFastest(reference, further, host));
  }
  const found = all.find(({ name }) => name === wanted);
  if (found === undefined) {
    const known = all.map(({ name }) => name).join(', ');
    return err(
      `variant: expected one that ${manifest.name} has (${known}), found ${wanted}; set "variant" to one of these or to auto`,
    );
  }
  const lack = findLack(found, host);
  return lack === undefined
    ? ok(describe(found, 'the configuration asks for it'))
    : err(
        `variant ${wanted}: ${lack}; set "variant" to ${reference.name}, or to auto to have ${wanted} only where it can run`,
      );
}

/** What a variant needs and does not find on a host, as `expected ..., found ...`. */
export function findLack(
  { needs }: Variant,
  { device, cpuFeatures }: VariantHost,
): string | undefined {
  if (needs.device === 'cpu' && device === 'cuda') {
    return 'expected device cpu, found device cuda';
  }
  const { anyCpuFeature } = needs;
  const isMet = anyCpuFeature?.some((feature) => cpuFeatures.includes(feature)) ?? true;
  return isMet
    ? undefined
    : `expected a CPU with ${anyCpuFeature?.join(' or ')}, found one without`;
}

function chooseFastest(
  reference: Variant,
  further: readonly Variant[],
  host: VariantHost,
): ChosenVariant {
  const lacks: string[] = [];
  for (const variant of further) {
    const lack = findLack(variant, host) ?? findRivalDevice(variant, host);
    if (lack === undefined) {
      return describe(variant, `auto: this host has what ${variant.name} needs`);
    }
    lacks.push(`auto passed over ${variant.name}: ${lack}`);
  }
  return describe(reference, lacks.join('; '));
}

/** A GPU that may be there goes before a variant that needs the CPU. */
function findRivalDevice({ needs }: Variant, host: VariantHost): string | undefined {
  return needs.device === 'cpu' && host.device === 'auto' && host.hasCudaProvider
    ? 'expected device cpu, found device auto, which takes a GPU where it can'
    : undefined;
}

function describe({ name, needs, agreement }: Variant, reason: string): ChosenVariant {
  return { name, reason, needs, ...(agreement && { agreement }) };
}
