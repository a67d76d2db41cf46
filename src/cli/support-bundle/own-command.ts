import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../../core/result.ts';

const mainFile = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Loading and proving a large model takes its time. */
const TIMEOUT_MS = 180_000;

/**
 * What a command of this program prints, in a process of its own that is ended when it hangs.
 * Whatever its exit code, what it says is what is wanted.
 */
export async function runOwnCommand(
  commandArguments: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Result<string, string>> {
  const child = spawn(process.execPath, [mainFile, ...commandArguments], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise: late, resolve: giveUp } = Promise.withResolvers<Result<string, string>>();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    giveUp(err(`it did not end within ${TIMEOUT_MS / 1000} s`));
  }, TIMEOUT_MS);
  child.once('error', (error) => giveUp(err(error.message)));
  const written = Promise.all([text(child.stdout), text(child.stderr)]).then(
    ([output, complaints]) => ok(`${output}${complaints}`),
  );
  return Promise.race([written, late]).finally(() => clearTimeout(timer));
}
