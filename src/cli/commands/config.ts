import { Command } from 'commander';
import { type LoadedConfig, loadConfigWithOrigins } from '../../config/load.ts';
import { formatReference } from '../../config/reference.ts';
import { formatConfigJson, formatConfigYaml } from '../../config/show.ts';
import { addConfigOptions, readConfigSources } from '../config-options.ts';

/** `config show`, `config check` and `config reference`; mistakes are thrown as exit CONFIG. */
export function createConfigCommand(): Command {
  const show = addConfigOptions(new Command('show'))
    .description('Print the configuration in effect and where each value came from.')
    .option('--json', 'print JSON instead of YAML')
    .action((options: { json?: boolean }, command: Command) => {
      const loaded = loadConfigWithOrigins(readConfigSources(command));
      process.stdout.write(options.json ? formatConfigJson(loaded) : formatConfigYaml(loaded));
    });
  const check = addConfigOptions(new Command('check'))
    .description('List every mistake in the configuration.')
    .action((_options: object, command: Command) => {
      process.stdout.write(summarize(loadConfigWithOrigins(readConfigSources(command))));
    });
  const reference = new Command('reference')
    .description('Print the reference of every key as Markdown.')
    .action(() => {
      process.stdout.write(formatReference());
    });
  return new Command('config')
    .description('Show, check or explain the configuration.')
    .addCommand(show)
    .addCommand(check)
    .addCommand(reference);
}

function summarize({ config, file }: LoadedConfig): string {
  const { host, port, admin, services, stateDir, modelsDir } = config;
  return [
    `OK: ${file ?? 'no file, so defaults, variables and flags'}`,
    `  requests        ${host}:${port}`,
    `  administration  ${admin.host}:${admin.port}`,
    `  state           ${stateDir}`,
    `  models          ${modelsDir}`,
    ...services.map(
      ({ deployName, model, variant, device, workers }) =>
        `  service         ${deployName}: ${model}, variant ${variant}, device ${device}, workers ${workers}`,
    ),
    '',
  ].join('\n');
}
