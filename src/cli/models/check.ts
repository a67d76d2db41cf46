import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { findModelFolder } from '../../catalog/model-package.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { exitCodes } from '../../core/errors.ts';
import { readCpuFeatures } from '../../platform/cpu-features.ts';
import { hasCudaProvider } from '../../platform/cuda-provider.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { loadLocalConfig } from '../local-config.ts';
import { describeServiceFor } from '../local-service.ts';
import { writeOutput } from '../output.ts';
import { checkModel, type ModelTarget } from './check-model.ts';
import { formatVerdict, type Verdict } from './verdict.ts';

/** Checks one model after another, so that they need not fit into memory together. */
export async function runModelsCheck(
  named: readonly string[],
  isJson: boolean,
  command: Command,
): Promise<number> {
  const { config, log } = loadLocalConfig(command);
  const context = {
    config,
    log: await createLogger(log, { stream: 'stderr' }),
    cpuFeatures: await readCpuFeatures(),
    hasCudaProvider: hasCudaProvider(),
  };
  const targets = named.length === 0 ? configuredModels(config) : named.map(toTarget);
  let exitCode: number = exitCodes.OK;
  for (const target of targets) {
    const isThere = await exists(target.folder);
    const verdict = isThere ? await checkModel(target, context) : describeMissing(target);
    await writeOutput(isJson ? `${JSON.stringify(verdict)}\n` : formatVerdict(verdict));
    if (!isThere && named.length > 0) {
      exitCode = exitCodes.NO_INPUT;
    } else if (!verdict.ok && exitCode === exitCodes.OK) {
      exitCode = exitCodes.SOME_FAILED;
    }
  }
  return exitCode;

  function toTarget(name: string): ModelTarget {
    const service = describeServiceFor(config, name);
    const folder = findModelFolder(config.modelsDir, service.model);
    return { service, folder, wanted: [service.variant] };
  }
}

/** The services' models, each once for every device it is to run on. */
function configuredModels(config: Config): ModelTarget[] {
  const byModel = new Map<string, ModelTarget>();
  for (const service of config.services) {
    const folder = findModelFolder(config.modelsDir, service.model);
    const key = `${service.device} ${folder}`;
    const wanted = [...(byModel.get(key)?.wanted ?? []), service.variant];
    byModel.set(key, { service: nameAfterModel(service), folder, wanted });
  }
  return [...byModel.values()];
}

function nameAfterModel(service: ServiceConfig): ServiceConfig {
  return { ...service, deployName: service.model };
}

async function exists(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch {
    return false; // for whatever reason: the verdict names the folder
  }
}

function describeMissing({ service: { model }, folder }: ModelTarget): Verdict {
  const problem = `${folder}: expected a model folder, found nothing there; "edge-infer models list" shows what there is`;
  return { model, ok: false, folder, variants: [], problems: [problem] };
}
