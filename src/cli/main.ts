#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { exitCodes, OperatorError } from '../core/errors.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import { createConfigCommand } from './commands/config.ts';
import { createServeCommand } from './commands/serve.ts';

const EXIT_CODE_HELP = `
Exit codes:
  0   done
  1   some of the files or models failed; the others are done
  64  wrong usage of the command line
  66  a named file or folder does not exist
  70  a fault of edge-infer itself
  71  the system refused something needed, such as a port
  78  the configuration has errors`;

function createProgram(): Command {
  return new Command('edge-infer')
    .description(
      'Image classification on your own server, behind the wire contract of the cloud API.',
    )
    .version(readPackageInfo().version)
    .addCommand(createServeCommand())
    .addCommand(createConfigCommand())
    .addHelpText('after', EXIT_CODE_HELP)
    .exitOverride();
}

/** Adopts commander's way of ending for every command, so that usage errors share one exit code. */
function overrideExits(command: Command): Command {
  for (const child of command.commands) {
    overrideExits(child.exitOverride());
  }
  return command;
}

async function main(): Promise<number> {
  try {
    await overrideExits(createProgram()).parseAsync();
    return Number(process.exitCode ?? exitCodes.OK);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.OK : exitCodes.USAGE; // commander has said why
    }
    if (error instanceof OperatorError) {
      process.stderr.write(`edge-infer: ${error.message}\n`);
      return exitCodes[error.exit];
    }
    process.stderr.write(`edge-infer: a fault of the program itself: ${String(error)}\n`);
    return exitCodes.SOFTWARE;
  }
}

process.exit(await main());
