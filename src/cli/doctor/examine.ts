import { fork } from 'node:child_process';
import type { ConfigSources } from '../../config/load.ts';
import type { FromExaminer } from './examine-messages.ts';
import { type Finding, problem, warning } from './finding.ts';

/** One check with what it found. */
export interface Examined {
  readonly check: string;
  readonly findings: readonly Finding[];
}

/** Large models take a while to hash; programs of the system are given less. */
const LIMIT_MS = 60_000;
/** Each call that never returns takes one for good. */
const THREADS = '32';

/** Runs every check; what does not end in time is told instead. Never throws and never hangs. */
export function examine(sources: ConfigSources, limitMs = LIMIT_MS): Promise<Examined[]> {
  const { promise, resolve } = Promise.withResolvers<Examined[]>();
  const found = new Map<string, readonly Finding[]>();
  let names: readonly string[] = [];
  const child = fork(new URL('examine-main.ts', import.meta.url), {
    env: { ...process.env, UV_THREADPOOL_SIZE: THREADS },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => finish(`it did not end within ${limitMs / 1000} s`), limitMs);

  function finish(reason: string): void {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.unref(); // what the disk holds on to ends later
    const unfinished = warning(
      `this could not be checked: ${reason}`,
      'A disk, a network folder or a program of the system does not answer.',
      'dmesg | tail',
    );
    resolve(
      names.length === 0
        ? [
            {
              check: 'doctor',
              findings: [
                problem(`the checks did not begin: ${reason}`, 'This installation may be damaged.'),
              ],
            },
          ]
        : names.map((check) => ({ check, findings: found.get(check) ?? [unfinished] })),
    );
  }

  child.on('message', (message: FromExaminer) => {
    if (message.kind === 'begun') {
      names = message.names;
    } else {
      found.set(message.name, message.findings);
    }
  });
  child.once('error', (error) => finish(error.message));
  child.once('exit', (code, signal) => finish(`its process ended (${signal ?? code})`));
  child.send(sources, () => undefined);
  return promise;
}
