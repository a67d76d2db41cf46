import { resolve } from 'node:path';
import { composeServices } from '../compose/services.ts';
import { nearestName } from '../config/names.ts';
import type { Config, ServiceConfig } from '../config/schema.ts';
import { OperatorError } from '../core/errors.ts';
import type { ImageService } from '../inference/service.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ServiceChoice {
  /** A model, which needs no service configured. */
  readonly model?: string | undefined;
  /** A configured one; the first when neither is given. */
  readonly service?: string | undefined;
}

/** The service that a command is about. */
export function chooseService(config: Config, { model, service }: ServiceChoice): ServiceConfig {
  return model === undefined ? findService(config, service) : describeServiceFor(config, model);
}

function findService(config: Config, name: string | undefined): ServiceConfig {
  const names = config.services.map(({ deployName }) => deployName);
  const wanted = name ?? names[0];
  const found = config.services.find(({ deployName }) => deployName === wanted);
  if (found === undefined) {
    const nearest = nearestName(String(wanted), names);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new OperatorError(
      'USAGE',
      `--service: expected a configured service (${names.join(', ')}), found ${wanted}${hint}`,
    );
  }
  return found;
}

/** A service for a model, by its name or folder, with the settings common to all. */
export function describeServiceFor(config: Config, named: string): ServiceConfig {
  const model = resolveModelName(named);
  const { variant, device, workers, threads, deadlineMs, queue } = config;
  return { deployName: model, model, variant, device, workers, threads, deadlineMs, queue };
}

/** Builds and loads one service; throws an OperatorError (exit CONFIG) when it cannot be loaded. */
export async function loadLocalService(
  config: Config,
  chosen: ServiceConfig,
  log: Logger,
  proof: 'golden' | 'none',
): Promise<ImageService> {
  const service = await createLocalService(config, chosen, log);
  await service.load(proof);
  const { state, problems } = service.status();
  if (state === 'ready') {
    return service;
  }
  throw new OperatorError('CONFIG', describeUnloadable(chosen.model, problems));
}

/** Builds one service without HTTP; it has not begun to load. */
export async function createLocalService(
  config: Config,
  service: ServiceConfig,
  log: Logger,
): Promise<ImageService> {
  const services = await composeServices({ ...config, services: [service] }, log);
  const created = services.get(service.deployName);
  if (created === undefined) {
    throw new Error(`no service was made for ${service.deployName}`);
  }
  return created;
}

/** Why a command cannot use a model, in a sentence or a list of them. */
export function describeUnloadable(model: string, problems: readonly string[]): string {
  return problems.length === 1
    ? `the model ${model} cannot be loaded: ${problems[0]}`
    : `the model ${model} cannot be loaded:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
}

/** A model as named on the command line: with a slash in it a path, else a name, as in the file. */
function resolveModelName(name: string): string {
  return name.includes('/') || name === '.' || name === '..' ? resolve(name) : name;
}
