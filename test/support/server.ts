import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { composeServer, type EdgeInferServer } from '../../src/compose/server.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type LicenseSources, openLicenseSources } from '../../src/licensing/sources.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
export const goldenFolder = join(packageRoot, 'models/efficientnet-lite0/golden');

export interface TestServer extends AsyncDisposable {
  readonly server: EdgeInferServer;
  readonly config: Config;
  /** `http://127.0.0.1:PORT` of the service address. */
  readonly url: string;
  readonly adminUrl: string;
}

/** What a server has without others, but for the folders of this host. */
export function openOwnSources(config: Config): Promise<LicenseSources> {
  return openLicenseSources(config, [join(config.stateDir, 'of-the-host')]);
}

/**
 * Starts the real server on free ports with a state folder of its own, and waits until its models
 * are loaded. `flags` are configuration keys as on the command line: `http.status-codes`.
 * `openSources` takes the place of this host's hardware, clock and build.
 */
export async function startTestServer(
  flags: Record<string, string> = {},
  openSources?: (config: Config) => LicenseSources,
): Promise<TestServer> {
  const stateDir = await mkdtemp(join(tmpdir(), 'edge-infer-test-'));
  const config = loadConfig({
    flags: {
      port: '0',
      'admin.port': '0',
      'state-dir': stateDir,
      // Also for tests that name a state folder which cannot be.
      'license.dir': join(stateDir, 'licenses'),
      'log.level': 'fatal',
      'log.format': 'json',
      ...flags,
    },
    env: {},
    cwd: stateDir,
    packageRoot,
    userStateDir: join(stateDir, 'of-the-user'),
  });
  const sources = await (openSources ?? openOwnSources)(config);
  const server = await composeServer(config, await createLogger(config.log), sources);
  await server.start();
  await server.loaded;
  return {
    server,
    config,
    url: `http://127.0.0.1:${server.servicePort}`,
    adminUrl: `http://127.0.0.1:${server.adminPort}`,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
