import { Command } from 'commander';
import { readPackageInfo } from '../platform/package-info.ts';
import { createBenchCommand } from './commands/bench.ts';
import { createClassifyCommand } from './commands/classify.ts';
import { createConfigCommand } from './commands/config.ts';
import { createDoctorCommand } from './commands/doctor.ts';
import { createHardwareCommand } from './commands/hardware.ts';
import { createLicenseCommand } from './commands/license.ts';
import { createModelsCommand } from './commands/models.ts';
import { createSelfTestCommand } from './commands/self-test.ts';
import { createServeCommand } from './commands/serve.ts';
import { createSupportBundleCommand } from './commands/support-bundle.ts';
import { createVendorCommand } from './commands/vendor.ts';
import { createVerifyCommand } from './commands/verify.ts';

const EXAMPLES_AND_EXIT_CODES = `
Examples:
  edge-infer serve
  edge-infer classify models/efficientnet-lite0/golden/coffee.png
  edge-infer models check
  edge-infer verify
  edge-infer bench --budget 200ms
  edge-infer config show

Exit codes, of every command:
  0    done
  1    some of the files, images or models failed; the others are done
  2    an answer differs from the one recorded
  64   wrong usage of the command line
  65   a named file is not what it should be
  66   a named file or folder does not exist; the others are done
  70   a fault of edge-infer itself
  71   the system refused something needed, such as a port
  77   no licence of this host allows it
  78   the configuration has errors, or the model it names cannot be loaded
  130  stopped with Ctrl-C before the end; what was done is printed`;

/** Every command with its options, not yet run; whatever costs time is loaded by the actions. */
export function createProgram(): Command {
  const program = new Command('edge-infer')
    .description(
      'Classifies images on your own server, behind the wire contract of the cloud API.\n"edge-infer COMMAND --help" explains a command.',
    )
    .version(readPackageInfo().version, '-v, --version', 'Print the version.')
    .addCommand(createServeCommand())
    .addCommand(createClassifyCommand())
    .addCommand(createLicenseCommand())
    .addCommand(createModelsCommand())
    .addCommand(createVerifyCommand())
    .addCommand(createBenchCommand())
    .addCommand(createSelfTestCommand())
    .addCommand(createDoctorCommand())
    .addCommand(createSupportBundleCommand())
    .addCommand(createConfigCommand())
    .addCommand(createHardwareCommand())
    .addCommand(createVendorCommand())
    .addHelpText('after', EXAMPLES_AND_EXIT_CODES);
  return adoptManners(program, 'edge-infer');
}

/** What commander does not hand down to commands built apart: how they end and how errors read. */
function adoptManners(command: Command, path: string): Command {
  command
    .exitOverride()
    .helpOption('-h, --help', 'Print this help.')
    .configureOutput({
      outputError(text, write) {
        write(`${text.replace(/^error: /, 'edge-infer: ')}`);
        write(`See "${path} --help".\n`);
      },
    });
  if (command.commands.length > 0) {
    command.helpCommand('help [command]', 'Print the help of a command.');
  }
  for (const child of command.commands) {
    adoptManners(child, `${path} ${child.name()}`);
  }
  return command;
}
