import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { OperatorError } from '../../core/errors.ts';
import { serverEnvironment } from '../../platform/server-environment.js';
import { describeUnloadable } from '../local-service.ts';
import { printable } from '../text-table.ts';
import type { FromServer, Loaded, ToServer, Usage } from './server-messages.ts';

/** The server under measurement; disposing ends it, and abandons after a while what still runs. */
export interface BenchServer extends AsyncDisposable {
  readonly port: number;
  readonly adminUrl: string;
  readUsage(): Promise<Usage>;
  /** Bytes of memory, what other processes map too counted in part; undefined where unknown. */
  readProportionalBytes(): Promise<number | undefined>;
  /** Rejects with an OperatorError when the process ends by itself. */
  readonly died: Promise<never>;
}

const STOP_TIMEOUT_MS = 10_000;
/** Of what the process wrote to standard error, so much is told when it dies. */
const KEPT_STDERR_CHARACTERS = 2_000;

/**
 * Starts a server of one service on free ports of the loopback interface, with that service's own
 * settings, and waits until the model is loaded and has answered its golden examples.
 * Throws an OperatorError when it cannot start or the model cannot be loaded.
 */
export async function startBenchServer(
  config: Config,
  service: ServiceConfig,
): Promise<BenchServer> {
  const child = fork(new URL('server-main.ts', import.meta.url), {
    env: { ...serverEnvironment, ...process.env },
    // Its log is written as ever, and dropped: writing it is part of a request's cost.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-KEPT_STDERR_CHARACTERS);
  });
  await startProcess(child);
  // Not "close", which never comes after a disconnect from this side.
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const died = ended.then(([exitCode, signal]): never => {
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
    const words = lastWords.trim() === '' ? '' : `; its last words: ${printable(lastWords.trim())}`;
    throw new OperatorError('SOFTWARE', `the measured server ended (${how})${words}`);
  });
  died.catch(() => undefined); // told to whoever waits for something else of the server

  async function ask(message: ToServer): Promise<FromServer> {
    const answer = once(child, 'message') as Promise<[FromServer]>;
    child.send(message, () => undefined); // when it cannot be sent, the process has ended
    const [reply] = await Promise.race([answer, died]);
    return reply;
  }

  async function stop(): Promise<void> {
    if (child.connected) {
      child.disconnect();
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  const loopback = { host: '127.0.0.1', port: 0 };
  const own: Config = { ...config, ...loopback, admin: loopback, services: [service] };
  const reply = await ask({ kind: 'start', config: own });
  const failure = findFailure(reply, service);
  if (failure !== undefined) {
    await stop();
    throw failure;
  }
  const { servicePort, adminPort } = reply as Loaded;

  return {
    port: servicePort,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    readUsage: async () => (await ask({ kind: 'usage' })) as Usage,
    async readProportionalBytes() {
      try {
        const rollup = await readFile(`/proc/${child.pid}/smaps_rollup`, 'utf8');
        return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
      } catch {
        return undefined; // not every kernel tells
      }
    },
    died,
    [Symbol.asyncDispose]: stop,
  };
}

async function startProcess(child: ChildProcess): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    const reason = (error as Error).message;
    throw new OperatorError('OS', `the server's process cannot be started: ${reason}`, {
      cause: error,
    });
  }
}

function findFailure(reply: FromServer, { model }: ServiceConfig): OperatorError | undefined {
  if (reply.kind === 'refused') {
    return new OperatorError(reply.exit, reply.message);
  }
  return reply.kind === 'loaded' && reply.problems.length > 0
    ? new OperatorError('CONFIG', describeUnloadable(model, reply.problems))
    : undefined;
}
