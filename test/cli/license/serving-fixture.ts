import { join } from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import { createBmp } from '../../http/support/tiny-images.ts';
import type { RunningCli } from '../../support/run-cli.ts';
import type { Operator } from './operator-fixture.ts';

interface LogLine {
  readonly msg: string;
  readonly port?: number;
  readonly adminPort?: number;
  readonly state?: string;
  readonly licenseId?: string;
}

interface Answer {
  readonly error_code?: number;
  readonly error_detail?: string;
  readonly results?: readonly object[];
}

export interface Serving {
  readonly running: RunningCli;
  readonly adminPort: string;
  readLog(): LogLine[];
  classify(deployName?: string): Promise<Answer>;
  /** Waits for an answer; longer than two seconds is too long. */
  reach(expected: object, deployName?: string): Promise<void>;
  /** Ends it cleanly. */
  stop(): Promise<void>;
}

const body = JSON.stringify({ image: Buffer.from(createBmp(32, 32)).toString('base64') });

export const served = { results: expect.any(Array) as unknown };

export const refused = (state: string, detail = '') => ({
  error_code: 337000,
  error_detail: expect.stringContaining(`license ${state}: ${detail}`) as string,
});

/** Starts the operator's server on free ports and waits until it has said this. */
export async function startServing(
  { start, release }: Pick<Operator, 'start' | 'release'>,
  { says = 'imagenet answers nobody.', flags = [] }: { says?: string; flags?: string[] } = {},
): Promise<Serving> {
  const running = start(
    ...['serve', '--port', '0', '--admin.port', '0', '--workers', '1'],
    ...['--models-dir', join(release, 'models'), ...flags],
  );
  async function stop(): Promise<void> {
    running.process.kill('SIGTERM');
    await running.ended;
  }
  afterAll(stop);
  await running.waitForStderr(says);
  const readLog = () =>
    running
      .stdout()
      .split('\n')
      .flatMap((line) =>
        line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as LogLine] : [],
      );
  const listening = readLog().find(({ msg }) => msg === 'listening');

  async function classify(deployName = 'imagenet'): Promise<Answer> {
    const url = `http://127.0.0.1:${listening?.port}/${deployName}/ImageClassification`;
    const response = await fetch(url, { method: 'POST', body });
    return (await response.json()) as Answer;
  }

  return {
    running,
    adminPort: String(listening?.adminPort),
    readLog,
    classify,
    stop,
    async reach(expected, deployName) {
      await vi.waitFor(async () => expect(await classify(deployName)).toMatchObject(expected), {
        timeout: 2_000,
        interval: 50,
      });
    },
  };
}
