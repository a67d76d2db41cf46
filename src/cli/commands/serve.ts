import { Command } from 'commander';
import { composeServer, type EdgeInferServer } from '../../compose.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { addConfigOptions, readConfigSources } from '../config-options.ts';

/** `edge-infer serve`: runs until SIGTERM or SIGINT. */
export function createServeCommand(): Command {
  const command = new Command('serve')
    .summary('answer requests until stopped')
    .description(
      'Answers POST /{DEPLOY_NAME}/ImageClassification on the service address, health and metrics on the admin address, until SIGTERM or SIGINT; then finishes the requests in progress.',
    )
    .action(serve);
  return addConfigOptions(command);

  async function serve(): Promise<void> {
    const config = loadConfig(readConfigSources(command));
    const log = await createLogger(config.log);
    const server = await composeServer(config, log);

    const stopped = Promise.withResolvers<void>();
    const onSignal = (signal: NodeJS.Signals) => {
      log.info({ signal }, 'stopping: finishing the requests in progress');
      void server.stop().then(stopped.resolve);
    };
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);

    await server.start();
    log.info(
      { host: config.host, port: server.servicePort, adminPort: server.adminPort },
      'listening',
    );
    void server.loaded.then(() => process.stderr.write(describeFirstRequest(config, server)));
    await stopped.promise;
    log.info('stopped');
  }
}

/** What to paste into another terminal, for every service that is ready. */
function describeFirstRequest(config: Config, server: EdgeInferServer): string {
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  const photo = 'models/efficientnet-lite0/golden/coffee.png';
  const lines = [...server.services.values()].map((service) => {
    const { deployName, state, problems } = service.status();
    if (state !== 'ready') {
      return `${deployName} is not ready:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n`;
    }
    const url = `http://${host}:${server.servicePort}/${encodeURIComponent(deployName)}/ImageClassification`;
    return `${deployName} is ready. From another terminal, in this folder:\n\n  { printf '{"image":"'; base64 -w0 ${photo}; printf '"}'; } | curl -s -d @- ${url}\n`;
  });
  return `\n${lines.join('\n')}\n`;
}
