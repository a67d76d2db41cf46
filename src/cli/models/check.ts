import { stat } from 'node:fs/promises';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { findModelFolder } from '../../catalog/model-package.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { exitCodes } from '../../core/errors.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { loadLocalConfig, resolveModelName } from '../local-config.ts';
import { createLocalService, describeServiceFor } from '../local-service.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { readManifest } from './manifest-file.ts';

/** One model's verdict, as `--json` prints it. */
interface Verdict {
  readonly model: string;
  readonly ok: boolean;
  readonly folder: string;
  readonly name?: string;
  readonly version?: string;
  readonly sha256?: string;
  readonly classes?: number;
  readonly device?: string;
  /** How many golden examples the manifest has. */
  readonly examples?: number;
  readonly problems: readonly string[];
}

/** Checks one model after another, so that they need not fit into memory together. */
export async function runModelsCheck(
  named: readonly string[],
  isJson: boolean,
  command: Command,
): Promise<number> {
  const { config, log } = loadLocalConfig(command);
  const logger = await createLogger(log, 'stderr');
  const targets = named.length === 0 ? configuredModels(config) : named.map(toTarget);
  let exitCode: number = exitCodes.OK;
  for (const target of targets) {
    const folder = findModelFolder(config.modelsDir, target.model);
    const isThere = await exists(folder);
    const verdict = isThere
      ? await check(config, target, folder, logger)
      : describeMissing(target, folder);
    await writeOutput(isJson ? `${JSON.stringify(verdict)}\n` : formatVerdict(verdict));
    if (!isThere && named.length > 0) {
      exitCode = exitCodes.NO_INPUT;
    } else if (!verdict.ok && exitCode === exitCodes.OK) {
      exitCode = exitCodes.SOME_FAILED;
    }
  }
  return exitCode;

  function toTarget(name: string): ServiceConfig {
    return describeServiceFor(config, resolveModelName(name));
  }
}

/** The services' models, each once for every device it is to run on. */
function configuredModels(config: Config): ServiceConfig[] {
  const byModel = new Map<string, ServiceConfig>();
  for (const service of config.services) {
    const folder = findModelFolder(config.modelsDir, service.model);
    byModel.set(`${service.device} ${folder}`, { ...service, deployName: service.model });
  }
  return [...byModel.values()];
}

async function check(
  config: Config,
  target: ServiceConfig,
  folder: string,
  logger: Logger,
): Promise<Verdict> {
  const service = await createLocalService(config, { ...target, workers: 1 }, logger);
  await service.load();
  const { state, problems, model, session } = service.status();
  await service.close();
  const manifest = await readManifest(folder);
  return {
    model: target.model,
    ok: state === 'ready',
    folder,
    ...model,
    ...(session && { classes: session.classCount, device: session.device }),
    ...(manifest.ok && { examples: manifest.value.golden.examples.length }),
    problems,
  };
}

async function exists(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch {
    return false; // for whatever reason: the verdict names the folder
  }
}

function describeMissing({ model }: ServiceConfig, folder: string): Verdict {
  const problem = `${folder}: expected a model folder, found nothing there; "edge-infer models list" shows what there is`;
  return { model, ok: false, folder, problems: [problem] };
}

function formatVerdict({ model, ok, problems, ...facts }: Verdict): string {
  const name = printable(model);
  if (!ok) {
    const word = styleText('red', 'FAILED', { stream: process.stdout });
    return `${word}  ${name}\n${problems.map((problem) => `  ${problem}\n`).join('')}`;
  }
  const proof =
    facts.examples === 0
      ? 'no golden examples, so its answers are unproven'
      : `${facts.examples} golden examples right`;
  return `OK      ${name} ${facts.version}: ${facts.classes} classes, ${facts.device}, ${proof}\n`;
}
