import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { packageRoot } from './server.ts';

/** No test writes to what this user's own programs keep. */
const userStateHome = join(tmpdir(), 'edge-infer-test-user-state');

/** What `NODE_OPTIONS` is for programs that tests start: none of them writes to this host's own folders. */
export const nodeOptions = `--import=${new URL('own-host-folder.js', import.meta.url).href}`;

export const mainFile = join(packageRoot, 'src/cli/main.ts');

export interface CliOptions {
  /** The package's folder when absent. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** This program when absent; `main.ts` of a release of its own otherwise. */
  readonly main?: string;
  /** The id of the user and group to run as; only root may say another than its own. */
  readonly user?: number;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs; its output is collected from the start. */
export interface RunningCli {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until standard error holds the text, and fails when the program ends first. */
  waitForStderr(text: string): Promise<void>;
  readonly ended: Promise<CliResult>;
}

/** Starts the real program in a process of its own, without this process's own settings for it. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(EDGE_INFER_|NODE_|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  const { main = mainFile, user } = options;
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd ?? packageRoot,
    ...(user === undefined ? {} : { uid: user, gid: user }),
    env: {
      ...Object.fromEntries(inherited),
      NODE_OPTIONS: nodeOptions,
      XDG_STATE_HOME: userStateHome,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    ...output,
  }));
  return {
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    async waitForStderr(text) {
      let hasEnded = false;
      void ended.then(() => {
        hasEnded = true;
      });
      while (!output.stderr.includes(text)) {
        if (hasEnded) {
          throw new Error(`ended without "${text}": ${JSON.stringify(await ended)}`);
        }
        await Promise.race([once(child.stderr, 'data'), ended]);
      }
    },
  };
}

/** Runs the real program to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** A temporary folder that goes when the file's tests are done. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-cli-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
