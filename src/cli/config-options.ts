import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { findUserStateDir, readEnvironment } from '../config/environment.ts';
import { configFlags, findDottedFlags } from '../config/flags.ts';
import type { ConfigSources } from '../config/load.ts';

const HELP_GROUP = 'Configuration:';
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Adds `--config` and a flag for every key; `--help` lists only the common ones. */
export function addConfigOptions(command: Command): Command {
  for (const { name, description, isCommon } of configFlags()) {
    command.addOption(
      new Option(`--${name} <value>`, description).helpGroup(HELP_GROUP).hideHelp(!isCommon),
    );
  }
  command.addHelpText(
    'after',
    '\nEvery key of the file is a flag too, such as --http.status-codes or --services.0.device;\nsee "config reference".',
  );
  const parseOptions = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    for (const name of findDottedFlags(args)) {
      if (!command.options.some((option) => option.long === `--${name}`)) {
        command.addOption(new Option(`--${name} <value>`).hideHelp());
      }
    }
    return parseOptions(args);
  };
  return command;
}

/** What `loadConfig` needs, for a command that has the options of `addConfigOptions`. */
export function readConfigSources(command: Command): ConfigSources {
  const listed = new Set(configFlags().map(({ name }) => name));
  const given = command.options.flatMap((option) => {
    const name = option.long?.slice(2) ?? '';
    const attribute = option.attributeName();
    const isGiven = command.getOptionValueSource(attribute) === 'cli';
    return isGiven && (listed.has(name) || name.includes('.'))
      ? [[name, String(command.getOptionValue(attribute))] as const]
      : [];
  });
  return {
    flags: Object.fromEntries(given),
    env: readEnvironment(),
    cwd: process.cwd(),
    packageRoot,
    userStateDir: findUserStateDir(),
  };
}
