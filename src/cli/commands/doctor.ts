import { Command } from 'commander';
import { exitCodes } from '../../core/errors.ts';
import { addLocalConfigOptions } from '../local-config.ts';

const HELP_AFTER = `
Each finding is "ok", a "note" (worth knowing), a "warning" (it may not serve for long) or a
"problem" (it does not serve as it should), with what it means and a command that mends it or shows
more. Nothing is changed, and nothing that hangs holds it up for longer than a minute. Root sees
more than other users do.

Exit code 1 where there is a problem.

Examples:
  edge-infer doctor
  edge-infer doctor --json`;

/** `edge-infer doctor`: what is wrong with this host's installation, and what to do. */
export function createDoctorCommand(): Command {
  const command = new Command('doctor')
    .summary('Look for whatever keeps this host from serving, and say what to do.')
    .description(
      'Looks at release, running server, units, configuration, licence, models, device, addresses, disk, memory, clock and log, and says what is wrong and what to do.',
    )
    .option('--json', 'Print one JSON object.')
    .addHelpText('after', HELP_AFTER)
    .action(async (options: { json?: true }) => {
      const { runDoctor } = await import('../doctor/run.ts');
      process.exitCode = exitCodes[await runDoctor(options.json === true, command)];
    });
  return addLocalConfigOptions(command);
}
