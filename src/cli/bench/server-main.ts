/**
 * The server that `bench` measures, in a process of its own: what `serve` starts, with its
 * configuration and its end coming over the channel to the command. When the command dies, however
 * it does, the channel closes, and this process stops as well.
 */
import { composeServer } from '../../compose/server.ts';
import type { Config } from '../../config/schema.ts';
import { OperatorError } from '../../core/errors.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { FromServer, ToServer } from './server-messages.ts';

let stop = async (): Promise<unknown> => undefined;

async function start(config: Config): Promise<void> {
  const server = await composeServer(config, await createLogger(config.log));
  stop = server.stop;
  await server.start();
  await server.loaded;
  const { servicePort, adminPort } = server;
  const problems = [...server.services.values()].flatMap((service) => service.status().problems);
  tell({ kind: 'loaded', servicePort, adminPort, problems });
}

function tell(message: FromServer): void {
  if (process.connected) {
    process.send?.(message);
  }
}

function tellUsage(): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  tell({
    kind: 'usage',
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    residentBytes: process.memoryUsage.rss(),
    peakBytes: maxRSS * 1024,
  });
}

process.on('message', (message: ToServer) => {
  if (message.kind === 'usage') {
    tellUsage();
    return;
  }
  start(message.config).catch((error: unknown) => {
    const exit = error instanceof OperatorError ? error.exit : 'SOFTWARE';
    tell({ kind: 'refused', exit, message: String((error as Error).message) });
  });
});
process.on('disconnect', () => void stop());
// A terminal's Ctrl-C reaches this process too, but the command ends it once nothing is running.
process.on('SIGINT', () => undefined);
