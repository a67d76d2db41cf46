import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverEnvironment } from '../../src/platform/server-environment.js';
import { readMainThreadCpuMs } from './main-thread-cpu.ts';

export interface ServerProcess {
  readonly pid: number;
  /** `http://127.0.0.1:PORT` of the service address. */
  readonly url: string;
  readonly adminUrl: string;
  /** Milliseconds from starting the process to its first `/readyz` 200. */
  readonly readyAfterMs: number;
  /** CPU time of the process so far, all its threads, in ms. */
  readCpuMs(): Promise<number>;
  readMainThreadCpuMs(): Promise<number>;
  /** Resident memory in bytes (`Rss`). */
  readResidentBytes(): Promise<number>;
  /** Resident memory in bytes, what several threads map counted once (`Pss`). */
  readProportionalBytes(): Promise<number>;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const READY_POLL_MS = 5;
const READY_TIMEOUT_MS = 60_000;
// The kernel's clock tick, which /proc counts CPU time in; Linux fixes it at 100 a second.
const TICK_MS = 10;

/** Starts the real server in a process of its own, so that its CPU time and memory are its alone. */
export async function startServerProcess(
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const [port, adminPort] = await findFreePorts();
  const url = `http://127.0.0.1:${port}`;
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'serve',
      '--port',
      `${port}`,
      '--admin.port',
      `${adminPort}`,
      '--log.level',
      'warn',
      ...flags,
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...serverEnvironment, ...process.env, ...environment },
    },
  );
  await waitUntilReady(url, child, startedMs);
  const readyAfterMs = performance.now() - startedMs;

  return {
    pid: child.pid ?? 0,
    url,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    readyAfterMs,
    async readCpuMs() {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
      // After the parenthesised name: fields 3 (state) on; utime is 14, stime 15 (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    },
    readMainThreadCpuMs: () => readMainThreadCpuMs(child.pid),
    readResidentBytes: () => readMemory(child, 'Rss'),
    readProportionalBytes: () => readMemory(child, 'Pss'),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function waitUntilReady(url: string, child: ChildProcess, startedMs: number): Promise<void> {
  while (performance.now() - startedMs < READY_TIMEOUT_MS) {
    if (child.exitCode !== null) {
      throw new Error(`the server ended with exit code ${child.exitCode}`);
    }
    const response = await fetch(`${url}/readyz`).catch(() => undefined); // not listening yet
    if (response?.ok === true) {
      return;
    }
    await sleep(READY_POLL_MS);
  }
  throw new Error(`the server was not ready after ${READY_TIMEOUT_MS / 1000} s`);
}

async function readMemory(child: ChildProcess, kind: 'Rss' | 'Pss'): Promise<number> {
  const rollup = await readFile(`/proc/${child.pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${kind}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) * 1024;
}

async function findFreePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports as [number, number];
}
