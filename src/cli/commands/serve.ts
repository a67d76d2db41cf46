import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Command } from 'commander';
import { loadConfig, tryLoadConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problems.ts';
import { err, ok } from '../../core/result.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import { isJournal } from '../../systemd/journal.ts';
import { takePassedSockets } from '../../systemd/listen-fds.ts';
import { createNotifier } from '../../systemd/notify.ts';
import { takeWatchdogMs } from '../../systemd/watchdog.ts';
import { addConfigOptions, readConfigSources } from '../config-options.ts';

const STDOUT = 1;
const STDERR = 2;

const HELP_AFTER = `
Examples:
  edge-infer serve
  edge-infer serve --port 8080 --admin.port 8081 --workers 2
  EDGE_INFER_LOG__LEVEL=warn edge-infer serve

When the models are loaded, a command to try each service with is printed to standard error; the
log goes to standard output.`;

/** `edge-infer serve`: runs until SIGTERM or SIGINT. */
export function createServeCommand(): Command {
  const command = new Command('serve')
    .summary('Answer requests until stopped.')
    .description(
      'Answers POST /{DEPLOY_NAME}/ImageClassification on the service address, health and metrics on the admin address, until SIGTERM or SIGINT; then finishes the requests in progress.',
    )
    .addHelpText('after', HELP_AFTER)
    .action(serve);
  return addConfigOptions(command);

  async function serve(): Promise<void> {
    const sockets = takePassedSockets();
    const config = loadConfig(readConfigSources(command));
    // Loaded only now: they bring in koa and all else, which "--help" can do without.
    const [{ composeServer }, { createLogger }, { describeFirstRequests }, { tellSystemd }] =
      await Promise.all([
        import('../../compose/server.ts'),
        import('../../telemetry/logger.ts'),
        import('../first-request.ts'),
        import('../serve/tell-systemd.ts'),
      ]);
    let droppedLogLines = 0;
    const log = await createLogger(config.log, {
      onDroppedLine: isJournal(STDOUT) ? () => droppedLogLines++ : undefined,
    });
    // main.ts tells the operator in one line; where it happened belongs into the log.
    process.on('uncaughtExceptionMonitor', (error) => {
      log.fatal({ err: error }, 'a fault of the program itself');
    });
    const server = await composeServer(config, log, undefined, {
      sockets,
      readDroppedLogLines: () => droppedLogLines,
    });
    const told = tellSystemd({
      server,
      notifier: createNotifier((problem) => log.warn(problem)),
      watchdogMs: takeWatchdogMs(),
      version: readPackageInfo().version,
    });

    const stopped = Promise.withResolvers<Awaited<ReturnType<typeof server.stop>>>();
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      isStopping = true;
      log.info({ signal }, 'stopping: finishing the requests in progress');
      told.stopping();
      void server.stop().then(stopped.resolve);
    };
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);
    process.on('SIGHUP', () => {
      if (isStopping) {
        log.warn({ signal: 'SIGHUP' }, 'stopping, so nothing is read again');
      } else if (isatty(STDOUT) && !hasTerminal()) {
        onSignal('SIGHUP'); // the terminal it was started in has gone
      } else {
        log.info({ signal: 'SIGHUP' }, 'reading configuration, licences and hardware again');
        const read = tryLoadConfig(readConfigSources(command));
        told.reloading();
        void server
          .reload(read.ok ? ok(read.value.config) : err(read.error.map(formatProblem)))
          .then(told.reloaded);
      }
    });

    await server.start();
    if (!isStopping) {
      told.started();
      const { host, port } = server.address;
      log.info({ host, port, adminPort: server.adminPort }, 'listening');
      void server.loaded.then(async () => {
        // The journal is read by others than whoever pastes this; and writing to it could wait.
        if (!isJournal(STDERR)) {
          process.stderr.write(await describeFirstRequests(config, server));
        }
      });
    }
    const workers = await stopped.promise;
    log.info('stopped');
    if (workers === 'left') {
      log.fatal('a worker still hangs, so this process is killed');
      process.kill(process.pid, 'SIGKILL'); // an orderly end would wait for it for ever
    }
  }
}

/** The system gives no controlling terminal to open once it has hung up. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
