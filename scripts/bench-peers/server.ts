import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { post } from '../bench/post.ts';
import { addressOf, readResults } from './answers.ts';
import type { Configuration, ModelFile, Peer } from './peer.ts';
import { ProcessTree } from './process-tree.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 5;

export interface Start {
  readonly peer: Peer;
  readonly configuration: Configuration;
  readonly model: ModelFile;
  readonly labelsFile: string;
  /** Where the peer's programs are looked for first. */
  readonly bin: string | undefined;
  /** For what the server writes: its log, Triton's model repository. */
  readonly workingFolder: string;
  /** The request whose answer tells that the server works. */
  readonly body: Uint8Array;
}

/** A server that has answered. */
export interface Server {
  readonly url: string;
  /** The first of its ports. */
  readonly port: number;
  readonly tree: ProcessTree;
  /** Milliseconds from starting the process to its first answer. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** Starts a peer and waits for its first answer; the error holds the end of its log. */
export async function startServer(start: Start): Promise<Server> {
  const { peer, configuration, model, bin, workingFolder } = start;
  await mkdir(workingFolder, { recursive: true });
  const port = await findFreePorts(3);
  const launch = peer.launch({ port, folder: join(HERE, peer.name), model });
  const [program, ...args] = launch.command;
  const logFile = join(workingFolder, 'server.log');
  const log = await open(logFile, 'w');
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: workingFolder,
    detached: true, // leads a session of its own, by which its processes are found
    stdio: ['ignore', log.fd, log.fd],
    env: {
      PATH: [bin ?? dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: workingFolder,
      PORT: `${port}`,
      MODEL_FILE: model.path,
      LABELS_FILE: start.labelsFile,
      THREADS: '1',
      PYTHONPATH: [join(HERE, 'python'), join(HERE, peer.name)].join(delimiter),
      PYTHONPYCACHEPREFIX: join(workingFolder, 'pycache'),
      ...launch.environment,
      ...configuration.environment,
    },
  });
  await once(child, 'spawn'); // throws when there is no such program
  await log.close();
  const tree = new ProcessTree(child.pid as number);
  const killWithUs = () => tree.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stopServer = async () => {
    await stop(child, tree);
    process.removeListener('exit', killWithUs);
  };
  const url = addressOf(peer, port);
  try {
    await waitForAnswer(start, url, child, startedMs);
  } catch (error) {
    await stopServer();
    const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
    throw new Error(`${(error as Error).message}; its log ends: ${lines.slice(-3).join(' / ')}`);
  }
  return { url, port, tree, startMs: performance.now() - startedMs, stop: stopServer };
}

async function waitForAnswer(
  { peer, body }: Start,
  url: string,
  child: ChildProcess,
  startedMs: number,
): Promise<void> {
  let last = 'nothing listens';
  while (performance.now() - startedMs < START_TIMEOUT_MS) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
    }
    const agent = new Agent();
    try {
      readResults(peer, await post(url, agent, body));
      return;
    } catch (error) {
      last = (error as Error).message; // not listening, or not ready yet
    }
    await sleep(POLL_MS);
  }
  throw new Error(`no answer ${START_TIMEOUT_MS / 1000} s after its start (${last})`);
}

/** Asks the first process to end, and ends whatever of its tree is left. */
async function stop(child: ChildProcess, tree: ProcessTree): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [];
  tree.kill('SIGCONT');
  child.kill('SIGTERM');
  await Promise.race([exited, sleep(STOP_TIMEOUT_MS)]);
  tree.kill('SIGKILL');
  await exited;
}

/** The first of several free ports in a row. */
async function findFreePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const listeners = Array.from({ length: count }, () => createServer());
    const outcomes = await Promise.allSettled(
      listeners.map((listener, index) => {
        listener.listen(first + index, '127.0.0.1');
        return once(listener, 'listening');
      }),
    );
    for (const listener of listeners) {
      listener.close();
    }
    if (outcomes.every(({ status }) => status === 'fulfilled')) {
      return first;
    }
  }
}
