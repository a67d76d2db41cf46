import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serverEnvironment } from '../../src/platform/server-environment.js';
import { readMainThreadCpuMs } from './main-thread-cpu.ts';

export interface SinkProcess {
  readonly url: string;
  readMainThreadCpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the plain HTTP server in a process of its own, in the environment the server has. */
export async function startSinkProcess(): Promise<SinkProcess> {
  const child = fork(fileURLToPath(new URL('http-sink.ts', import.meta.url)), {
    env: { ...serverEnvironment, ...process.env },
  });
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    readMainThreadCpuMs: () => readMainThreadCpuMs(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
