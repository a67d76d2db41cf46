import type { Manifest } from '../../catalog/manifest.ts';
import { findFileProblem } from '../../catalog/model-files.ts';
import {
  chooseVariant,
  findLack,
  listVariants,
  type Variant,
  type VariantHost,
  type VariantPreference,
} from '../../catalog/variants.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import type { ServiceStatus } from '../../inference/service-status.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createLocalService } from '../local-service.ts';
import { readManifest } from './manifest-file.ts';
import type { VariantVerdict, Verdict } from './verdict.ts';

/** A model to check. */
export interface ModelTarget {
  readonly service: ServiceConfig;
  readonly folder: string;
  /** The variants that services ask for; the others are checked where this host can run them. */
  readonly wanted: readonly VariantPreference[];
}

export interface CheckContext extends Omit<VariantHost, 'device'> {
  readonly config: Config;
  readonly log: Logger;
}

/** Checks every file of a model, and loads every variant that this host can run as the server does. */
export async function checkModel(target: ModelTarget, context: CheckContext): Promise<Verdict> {
  const { service, folder, wanted } = target;
  const manifest = await readManifest(folder);
  if (!manifest.ok) {
    // Loading tells all that is wrong with it, reading only the first.
    const { problems } = await load(service, context);
    return { model: service.model, ok: false, folder, variants: [], problems };
  }
  const host: VariantHost = { ...context, device: service.device };
  const choices = wanted.map((variant) => chooseVariant(manifest.value, variant, host));
  const refusals = choices.flatMap((choice) => (choice.ok ? [] : [choice.error]));
  const fileProblems = await findFileProblems(folder, manifest.value);

  const checked: CheckedVariant[] = [];
  for (const variant of listVariants(manifest.value)) {
    checked.push(await checkVariant(variant, host, target, context));
  }
  const known = new Set([...refusals, ...fileProblems]);
  const problems = [...known, ...nameVariants(checked, known)];
  const { name, version } = manifest.value;
  const classes = checked.map(({ status }) => status?.session?.classCount).find(Boolean);
  return {
    model: service.model,
    ok: problems.length === 0,
    folder,
    name,
    version,
    ...(classes && { classes }),
    variants: checked.map(({ verdict }) => verdict),
    problems,
  };
}

interface CheckedVariant {
  readonly verdict: VariantVerdict;
  readonly status?: ServiceStatus;
}

async function checkVariant(
  variant: Variant,
  host: VariantHost,
  { service }: ModelTarget,
  context: CheckContext,
): Promise<CheckedVariant> {
  const { name, golden, agreement } = variant;
  const facts = { name, examples: golden.examples.length, ...(agreement && { agreement }) };
  const notRun = findLack(variant, host);
  if (notRun !== undefined) {
    return { verdict: { ...facts, notRun } };
  }
  const status = await load({ ...service, variant: name }, context);
  const { state, model, session } = status;
  const found = {
    ...(model && { sha256: model.sha256 }),
    ...(session && { device: session.device, imaging: session.imaging }),
  };
  return { verdict: { ...facts, ok: state === 'ready', ...found }, status };
}

async function load(service: ServiceConfig, { config, log }: CheckContext): Promise<ServiceStatus> {
  const created = await createLocalService(config, { ...service, workers: 1 }, log);
  await created.load();
  const status = created.status();
  await created.close();
  return status;
}

async function findFileProblems(folder: string, { files }: Manifest): Promise<string[]> {
  const checks = Object.entries(files).map(([file, sha256]) =>
    findFileProblem(folder, file, sha256),
  );
  return (await Promise.all(checks)).filter((problem) => problem !== undefined).sort();
}

/** What else is wrong with the variants; what all have in common once, the rest by their names. */
function nameVariants(checked: readonly CheckedVariant[], known: ReadonlySet<string>): string[] {
  const run = checked.filter(({ status }) => status !== undefined);
  const named = run.flatMap(({ verdict, status }) =>
    (status?.problems ?? [])
      .filter((problem) => !known.has(problem))
      .map((problem) => {
        const isCommon = run.every((other) => other.status?.problems.includes(problem));
        return isCommon ? problem : `${verdict.name}: ${problem}`;
      }),
  );
  return [...new Set(named)];
}
