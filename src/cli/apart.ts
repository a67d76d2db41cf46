/**
 * Work on files that may not answer, in a process of its own: a file call that never returns keeps a
 * Node process from ending by itself, and so would keep whoever asked.
 */
import { fork } from 'node:child_process';

export interface DoneApart<Found> {
  /** Of every part, also of those that did not end; empty where the work did not begin. */
  readonly names: readonly string[];
  readonly found: ReadonlyMap<string, Found>;
  /** Why some are missing: a sentence's end. */
  readonly reason: string;
}

type Message<Found> =
  | { readonly kind: 'begun'; readonly names: readonly string[] }
  | { readonly kind: 'done'; readonly name: string; readonly found: Found };

/** Each call that never returns takes one for good. */
const THREADS = '32';

/** Has a module do its parts (`workApart`), until they are done or time is up. Never rejects, never hangs. */
export function doApart<Found>(
  module: URL,
  input: object,
  limitMs: number,
): Promise<DoneApart<Found>> {
  const { promise, resolve } = Promise.withResolvers<DoneApart<Found>>();
  const found = new Map<string, Found>();
  let names: readonly string[] = [];
  const child = fork(module, {
    env: { ...process.env, UV_THREADPOOL_SIZE: THREADS },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => finish(`it did not end within ${limitMs / 1000} s`), limitMs);

  function finish(reason: string): void {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.unref(); // what the disk holds on to ends later
    resolve({ names, found, reason });
  }

  child.on('message', (message: Message<Found>) => {
    if (message.kind === 'begun') {
      names = message.names;
    } else {
      found.set(message.name, message.found);
    }
    if (names.length > 0 && found.size === names.length) {
      finish('');
    }
  });
  child.once('error', (error) => finish(error.message));
  child.once('exit', (code, signal) => finish(`its process ended (${signal ?? code})`));
  child.send(input, () => undefined);
  return promise;
}

/** The other side: tells the names of the parts, then what each has found. */
export function workApart<Input, Found>(
  names: readonly string[],
  work: (input: Input, tell: (name: string, found: Found) => void) => Promise<void>,
): void {
  const send = (message: Message<Found>) => {
    if (process.connected) {
      process.send?.(message);
    }
  };
  process.once('message', (input: Input) => {
    send({ kind: 'begun', names });
    void work(input, (name, found) => send({ kind: 'done', name, found })).then(() =>
      process.disconnect(),
    );
  });
}
