import { Command } from 'commander';
import { exitCodes } from '../../core/errors.ts';
import { addLocalConfigOptions } from '../local-config.ts';

const HELP_AFTER = `
Nothing of a server that runs is touched: the test takes free ports of the loopback interface. It
leaves the models' prepared forms behind, so that the next start is a fast one. A licence that
refuses is told and fails nothing: the models are then tested past it.

Exit code 78 where the configuration has errors or a model cannot be loaded or answers its golden
examples wrongly, 2 where callers are answered otherwise than the golden examples say.

Examples:
  edge-infer self-test
  edge-infer self-test --json`;

/** `edge-infer self-test`: what an upgrade runs before it lets a new release serve. */
export function createSelfTestCommand(): Command {
  const command = new Command('self-test')
    .summary('Start the server apart and compare its answers with the golden examples.')
    .description(
      "Starts the server's parts with the configuration in effect, sends each service the golden examples of its model over HTTP, compares the answers with those recorded, and stops.",
    )
    .option('--json', 'Print one JSON object.')
    .addHelpText('after', HELP_AFTER)
    .action(async (options: { json?: true }) => {
      const { runSelfTest } = await import('../self-test/run.ts');
      process.exitCode = exitCodes[await runSelfTest(options.json === true, command)];
    });
  return addLocalConfigOptions(command);
}
