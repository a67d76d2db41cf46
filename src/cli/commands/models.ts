import { Command } from 'commander';
import { addLocalConfigOptions } from '../local-config.ts';

/** `edge-infer models list` and `models check`: what lies under the models folder, and is it right? */
export function createModelsCommand(): Command {
  return new Command('models')
    .summary('List the models on this host, or check them.')
    .description('Lists the models on this host, or checks that they load and answer rightly.')
    .addCommand(createListCommand())
    .addCommand(createCheckCommand());
}

interface ModelsOptions {
  readonly json?: true;
}

function createListCommand(): Command {
  const command = new Command('list')
    .summary('List the models under the models folder.')
    .description(
      'Lists the models under the models folder, with what can be told without loading them.',
    )
    .option('--json', 'Print a JSON object a line.')
    .addHelpText(
      'after',
      '\nExamples:\n  edge-infer models list\n  edge-infer models list --json --models-dir models',
    )
    .action(async (options: ModelsOptions) => {
      const { runModelsList } = await import('../models/list.ts');
      await runModelsList(options.json === true, command);
    });
  return addLocalConfigOptions(command);
}

const CHECK_HELP = `
Checks the manifest, the SHA-256 of every file and the labels, loads the graph, compares it with
the manifest, and classifies the golden examples, whose answers must be those recorded: for every
variant of the model that this host can run. A model that is in order is "OK"; of another every
problem is printed.

Examples:
  edge-infer models check
  edge-infer models check efficientnet-lite0
  edge-infer models check --json models/*/`;

function createCheckCommand(): Command {
  const command = new Command('check')
    .summary('Load models and check everything about them.')
    .description('Loads each model as the server does and checks everything about it.')
    .argument(
      '[model...]',
      "A folder's name under the models folder, or, with a slash in it, a path (default: the models of the configured services).",
    )
    .option('--json', 'Print a JSON object a line.')
    .addHelpText('after', CHECK_HELP)
    .action(async (models: string[], options: ModelsOptions) => {
      const { runModelsCheck } = await import('../models/check.ts');
      process.exitCode = await runModelsCheck(models, options.json === true, command);
    });
  return addLocalConfigOptions(command);
}
