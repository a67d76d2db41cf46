import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { composeServer, type EdgeInferServer } from '../../../src/compose/server.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { LicenseSources } from '../../../src/licensing/sources.ts';
import { openOwnSources, packageRoot } from '../../support/server.ts';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** The real server with its log in memory; `start` returns before its models are loaded. */
export interface WatchedServer extends AsyncDisposable {
  readonly server: EdgeInferServer;
  readonly log: readonly LogLine[];
}

export async function startWatchedServer(
  flags: Record<string, string> = {},
  openSources?: (config: Config) => LicenseSources,
): Promise<WatchedServer> {
  const stateDir = await mkdtemp(join(tmpdir(), 'edge-infer-test-'));
  const config = loadConfig({
    flags: { port: '0', 'admin.port': '0', 'state-dir': stateDir, ...flags },
    env: {},
    cwd: stateDir,
    packageRoot,
    userStateDir: join(stateDir, 'of-the-user'),
  });
  const log: LogLine[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      log.push(JSON.parse(String(line)) as LogLine);
      done();
    },
  });
  const server = await composeServer(
    config,
    pino(stream),
    await (openSources ?? openOwnSources)(config),
  );
  await server.start();
  return {
    server,
    log,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
