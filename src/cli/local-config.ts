import type { Command } from 'commander';
import { type LoadedConfig, loadConfigWithOrigins } from '../config/load.ts';
import type { LogOptions } from '../telemetry/logger.ts';
import { addConfigOptions, readConfigSources } from './config-options.ts';

/** Of the configuration, what matters to a command that opens no port. */
const concerned = new Set(
  [
    ...['config', 'state-dir', 'license.dir', 'license.records-dir', 'models-dir'],
    ...['variant', 'device', 'workers', 'log.level'],
  ].map((name) => `--${name}`),
);

/** The flags of the configuration, of which `--help` lists only what concerns local work. */
export function addLocalConfigOptions(command: Command): Command {
  const own = new Set(command.options);
  addConfigOptions(command);
  for (const option of command.options) {
    if (!own.has(option) && !concerned.has(option.long ?? '')) {
      option.hideHelp();
    }
  }
  return command;
}

export interface LocalConfig extends LoadedConfig {
  readonly log: LogOptions;
}

/**
 * The configuration with a log that stays silent unless a level was asked for by flag or variable:
 * a file's level is meant for the server's log, and the command reports failures itself.
 */
export function loadLocalConfig(command: Command): LocalConfig {
  const loaded = loadConfigWithOrigins(readConfigSources(command));
  const { log } = loaded.config;
  const { kind } = loaded.origins.of(['log', 'level']);
  const isAskedFor = kind === 'flag' || kind === 'variable';
  return { ...loaded, log: isAskedFor ? log : { ...log, level: 'fatal' } };
}
