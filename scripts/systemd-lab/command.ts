import { type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Outcome {
  /** The exit status; 128 and the signal's number where a signal ended it, as a shell has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions extends Pick<SpawnOptionsWithoutStdio, 'env' | 'cwd'> {
  readonly input?: string | Uint8Array;
  /** Called with each piece of either output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a program to its end, whatever that is; throws only where it cannot be started. */
export async function runCommand(
  [program = '', ...parameters]: readonly string[],
  { input, onOutput, ...options }: CommandOptions = {},
): Promise<Outcome> {
  const child = spawn(program, parameters, options);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      onOutput?.(text);
    });
  }
  child.stdin.on('error', () => undefined); // it need not read all of it; its status tells
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 128, ...texts };
}

/** Runs a program that must succeed; returns its standard output. */
export async function runOrThrow(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return outputOf(command.join(' '), await runCommand(command, options));
}

/** The standard output of what must have succeeded; throws with all that it wrote. */
export function outputOf(what: string, { code, stdout, stderr }: Outcome): string {
  if (code !== 0) {
    throw new Error(`${what}: exit status ${code}\n${stdout}${stderr}`.trimEnd());
  }
  return stdout;
}
