import { spawn } from 'node:child_process';
import { isFault } from './system-files.ts';

/**
 * Runs a program and returns what it wrote to its standard output; undefined when it is not there,
 * fails, writes too much or outlives its deadline. Rejects where a lack of memory or of file
 * descriptors lets no program be started.
 */
export type RunProgram = (
  program: string,
  programArguments: readonly string[],
) => Promise<string | undefined>;

/** Only where systems install programs, so that no PATH decides what hardware there is. */
const searchPath = [
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/usr/lib/wsl/lib',
  '/run/current-system/sw/bin',
].join(':');
const MAXIMUM_CHARACTERS = 1024 * 1024;

/**
 * Programs that are all over at `deadline`, in ms of `performance.now()`. What they started in turn is
 * in the group of this process, and ends with that (reading-process.ts).
 */
export function runUntil(deadline: number): RunProgram {
  return async (program, programArguments) => {
    if (performance.now() >= deadline) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const child = spawn(program, programArguments, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: searchPath, LC_ALL: 'C' },
    });
    child.once('error', (error) => (isFault(error) ? reject(error) : resolve(undefined)));
    if (child.pid === undefined) return promise; // and there may be no pipes either
    let output = '';
    const end = () => child.kill('SIGKILL');
    const timer = setTimeout(
      () => {
        end();
        resolve(undefined);
      },
      Math.max(0, deadline - performance.now()),
    );
    child.stdout.setEncoding('latin1').on('data', (piece: string) => {
      output += piece;
      if (output.length > MAXIMUM_CHARACTERS) end();
    });
    child.once('close', (code) => resolve(code === 0 ? output : undefined));
    return promise.finally(() => clearTimeout(timer));
  };
}
