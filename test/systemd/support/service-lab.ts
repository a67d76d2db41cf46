import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { bootLab, type Lab, type LabOptions } from '../../../scripts/systemd-lab/lab.ts';
import type { LoadCounts } from '../../../scripts/systemd-lab/load-client.ts';
import { unpackRelease } from '../../../scripts/systemd-lab/release.ts';
import { goldenFolder } from '../../support/server.ts';

export const SERVICE = 'http://127.0.0.1:24401';
export const ADMIN = 'http://127.0.0.1:24402';
const LOAD_CLIENT = fileURLToPath(
  new URL('../../../scripts/systemd-lab/load-client.ts', import.meta.url),
);

export interface ServiceLab extends Lab {
  /** Waits until the service answers that it is ready; returns how long that took, in ms. */
  waitUntilReady(timeoutMs?: number): Promise<number>;
  /** A property of a unit, as `systemctl show` gives it. */
  show(property: string, unit?: string): Promise<string>;
  /** Posts a body and returns what came back. */
  post(body: string, deployName?: string): Promise<unknown>;
  /** Callers that post a photo until `stop`. */
  startLoad(callers: number, connections: 'keep-alive' | 'one-each'): Load;
  /**
   * Milliseconds from the start of the service's process until it said that it is ready, and the
   * CPU time it has taken by now.
   */
  readStart(): Promise<{ readonly wallMs: number; readonly cpuMs: number }>;
}

interface Load {
  stop(): Promise<LoadCounts>;
}

/** A machine with this working tree's release unpacked and enabled, and not yet started. */
export async function bootServiceLab(options: LabOptions = {}): Promise<ServiceLab> {
  const lab = await bootLab(options);
  try {
    await unpackRelease(lab, inject('archive'));
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
  return withService(lab);
}

/** A machine with nothing installed. */
export async function bootEmptyLab(options: LabOptions = {}): Promise<ServiceLab> {
  return withService(await bootLab(options));
}

function withService(lab: Lab): ServiceLab {
  const show = (property: string, unit = 'edge-infer.service') =>
    lab.sh(`systemctl show --value -p ${property} ${unit}`);
  return {
    ...lab,
    // Spread, a getter would be a copy of the first machine's.
    get pid() {
      return lab.pid;
    },
    show,
    async waitUntilReady(timeoutMs = 60_000) {
      const started = performance.now();
      await lab.sh(`until curl -sf -m 1 -o /dev/null ${SERVICE}/readyz; do sleep 0.02; done`, {
        timeoutMs,
      });
      return performance.now() - started;
    },
    async post(body, deployName = 'imagenet') {
      const answer = await lab.sh(
        `curl -s -m 30 --data-binary @- ${SERVICE}/${deployName}/ImageClassification`,
        { input: body },
      );
      return JSON.parse(answer);
    },
    startLoad(callers, connections) {
      const child = lab.spawnOnItsNetwork([
        ...[process.execPath, LOAD_CLIENT, `${SERVICE}/imagenet/ImageClassification`],
        ...[join(goldenFolder, 'rocket.jpg'), `${callers}`, connections],
      ]);
      let output = '';
      child.stdout?.on('data', (piece: Buffer) => {
        output += piece.toString();
      });
      const closed = once(child, 'close');
      return {
        async stop() {
          child.stdin?.end();
          await closed;
          return JSON.parse(output) as LoadCounts;
        },
      };
    },
    async readStart() {
      const [pid, started, ready] = await Promise.all(
        ['MainPID', 'ExecMainStartTimestampMonotonic', 'ActiveEnterTimestampMonotonic'].map(
          (name) => show(name),
        ),
      );
      // Fields 14 and 15 of proc(5): ticks, a hundred a second, in user and in system mode.
      const ticks = await lab.sh(`awk '{print $14 + $15}' /proc/${pid}/stat`);
      return { wallMs: (Number(ready) - Number(started)) / 1000, cpuMs: Number(ticks) * 10 };
    },
  };
}

/** A figure for whoever reads the test's output; asserted are only the issue's own limits. */
export function tell(text: string): void {
  process.stderr.write(`    ${text}\n`);
}
