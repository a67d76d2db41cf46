import { type ChildProcess, spawn } from 'node:child_process';
import { err, ok, type Result } from '../core/result.ts';
import type { HostFacts } from './components.ts';

/** A reading in a process started for the occasion. */
export interface Reading {
  /** The error is a sentence. */
  readonly result: Promise<Result<HostFacts, string>>;
  /** When the process has ended: later than the result where it hangs in the kernel. */
  readonly ended: Promise<unknown>;
}

/** What that process writes as a line of JSON; the error is a system's code. */
export type ReadAnswer = Result<HostFacts, string>;

/**
 * Starts a program of this package that writes a `ReadAnswer`. It is ended, with all that it
 * started, at the deadline or when this process ends. Neither this process nor its end waits for one
 * that hangs in the kernel, as they would for a thread.
 */
export function startReadingProcess(
  programArguments: readonly string[],
  deadlineMs: number,
): Reading {
  const answer = Promise.withResolvers<Result<HostFacts, string>>();
  const ended = Promise.withResolvers<void>();
  const fail = (reason: string) => answer.resolve(err(`the hardware could not be read ${reason}`));
  let child: ReturnType<typeof start>;
  try {
    child = start(programArguments);
  } catch (error) {
    fail(`(${(error as NodeJS.ErrnoException).code})`);
    return { result: answer.promise, ended: answer.promise };
  }
  const end = () => endGroup(child);
  process.once('exit', end);
  const timer = setTimeout(() => {
    fail(`within ${deadlineMs} ms`);
    end();
  }, deadlineMs);
  let text = '';
  // Where it could not be started there may be no pipe either.
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (!text.endsWith('\n')) return;
    const read = JSON.parse(text) as ReadAnswer;
    if (read.ok) answer.resolve(ok(read.value));
    else fail(`(${read.error})`);
  });
  child.once('error', (error: NodeJS.ErrnoException) => {
    fail(`(${error.code ?? error.name})`);
    ended.resolve();
  });
  child.once('exit', () => {
    end(); // what it started
    ended.resolve();
  });
  child.once('close', () => fail('as the process for it ended early'));
  void ended.promise.then(() => process.off('exit', end));
  const result = answer.promise.finally(() => {
    clearTimeout(timer);
    child.stdout?.destroy();
    child.unref();
  });
  return { result, ended: ended.promise };
}

function start(programArguments: readonly string[]) {
  return spawn(process.execPath, programArguments, {
    stdio: ['ignore', 'pipe', 'ignore'], // nothing that a library says reaches the log
    env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    detached: true, // in a group of its own, to end it with its children
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // all of it has ended by itself
  }
}
