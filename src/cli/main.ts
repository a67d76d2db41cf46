#!/usr/bin/env node
import { setImmediate } from 'node:timers/promises';
import { debuglog } from 'node:util';
import { CommanderError } from 'commander';
import { exitCodes, OperatorError } from '../core/errors.ts';
import { describeOutputError, isReaderGone } from './output.ts';
import { createProgram } from './program.ts';

const debug = debuglog('edge-infer');

async function main(): Promise<number> {
  const program = createProgram();
  let outputError: Error | undefined;
  // It is not ended here: a worker thread torn away from a running model would crash the process.
  process.stdout.on('error', (error) => {
    outputError ??= isReaderGone(error) ? undefined : describeOutputError(error);
  });
  // Nobody reads the messages any more, which is no reason to stop serving.
  process.stderr.on('error', () => undefined);
  let exitCode: number;
  try {
    if (process.argv.length === 2) {
      program.outputHelp();
    } else {
      await program.parseAsync();
    }
    exitCode = Number(process.exitCode ?? exitCodes.OK);
  } catch (error) {
    exitCode = report(error);
  }
  await setImmediate(); // by then an error of the last write has been told
  return outputError !== undefined && exitCode === exitCodes.OK ? report(outputError) : exitCode;
}

/** Tells the operator in one line and returns the exit code; the stack is shown only on request. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.OK : exitCodes.USAGE; // commander has said why
  }
  debug('%O', error);
  if (error instanceof OperatorError) {
    process.stderr.write(`edge-infer: ${error.message}\n`);
    return exitCodes[error.exit];
  }
  const more = debug.enabled ? '' : '; NODE_DEBUG=edge-infer in the environment shows where';
  process.stderr.write(`edge-infer: a fault of the program itself: ${String(error)}${more}\n`);
  return exitCodes.SOFTWARE;
}

// Covers promises that nobody awaits as well.
process.on('uncaughtException', (error) => process.exit(report(error)));

process.exit(await main());
