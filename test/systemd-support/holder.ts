import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { mainFile, makeFolder, nodeOptions } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const HOLDER = fileURLToPath(new URL('socket-holder.pl', import.meta.url));

/** `edge-infer serve` under a small service manager: see socket-holder.pl. */
export interface HeldServer extends AsyncDisposable {
  readonly holder: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Of the held sockets, by name. */
  readonly ports: ReadonlyMap<string, number>;
  /** The server's process now; undefined between two of them. */
  serverPid(): Promise<number | undefined>;
  /** Exit code of the holder, which is the server's last one. */
  readonly ended: Promise<number | null>;
  stop(): Promise<number | null>;
}

export interface HeldOptions {
  /** `NAME=ADDRESS:PORT[,KIND]` each. */
  readonly sockets: readonly string[];
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function startHeldServer({
  sockets,
  flags = [],
  env = {},
}: HeldOptions): Promise<HeldServer> {
  const stateDir = await makeFolder();
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(EDGE_INFER_|NODE_)/.test(name),
  );
  const holder = spawn(
    'perl',
    [
      ...[HOLDER, ...sockets, '--', process.execPath, mainFile, 'serve'],
      ...['--state-dir', stateDir, '--log.format', 'json', ...flags],
    ],
    {
      cwd: packageRoot,
      env: {
        ...Object.fromEntries(inherited),
        NODE_OPTIONS: nodeOptions,
        XDG_STATE_HOME: stateDir,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = { stdout: '', stderr: '' };
  const ports = new Map<string, number>();
  const held = Promise.withResolvers<void>();
  for (const name of ['stdout', 'stderr'] as const) {
    holder[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      const lines = output.stderr.matchAll(/^(\w*) (\d+)$/gm);
      for (const [, socket = '', port] of lines) {
        ports.set(socket, Number(port));
      }
      if (ports.size === new Set(sockets.map((socket) => socket.split('=')[0])).size) {
        held.resolve();
      }
    });
  }
  const ended = once(holder, 'close').then(([code]) => code as number | null);
  await Promise.race([held.promise, ended]);
  const stop = () => {
    holder.kill('SIGTERM');
    return ended;
  };
  return {
    holder,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ports,
    async serverPid() {
      const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
      return Number.parseInt(children, 10) || undefined;
    },
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
