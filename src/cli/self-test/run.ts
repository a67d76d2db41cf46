import type { Command } from 'commander';
import { composeServer, type EdgeInferServer } from '../../compose/server.ts';
import { tryLoadConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problems.ts';
import type { Config } from '../../config/schema.ts';
import { type ExitCodeName, OperatorError } from '../../core/errors.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { readConfigSources } from '../config-options.ts';
import { writeOutput } from '../output.ts';
import { askRunningServer } from '../running-server.ts';
import { checkService } from './check-service.ts';
import { formatReport, type SelfTestReport } from './report.ts';

/** Beyond a request's own deadline, so that the server's answer comes first. */
const PATIENCE_MS = 5_000;

/**
 * Starts the server's parts in this process on free ports of the loopback interface, asks every
 * service about its golden examples, and stops. A server that runs is left alone.
 */
export async function runSelfTest(isJson: boolean, command: Command): Promise<ExitCodeName> {
  const { report, exit } = await test(command);
  await writeOutput(isJson ? `${JSON.stringify(report)}\n` : formatReport(report));
  return exit;
}

interface Tested {
  readonly report: SelfTestReport;
  readonly exit: ExitCodeName;
}

async function test(command: Command): Promise<Tested> {
  const { version, runtimeVersion } = readPackageInfo();
  const facts = {
    version,
    runtimes: { node: process.versions.node, onnxruntime: runtimeVersion },
  };
  const loaded = tryLoadConfig(readConfigSources(command));
  if (!loaded.ok) {
    const problems = loaded.error.map(formatProblem);
    const report = { ok: false, ...facts, configFile: null, services: [], problems };
    return { report, exit: 'CONFIG' };
  }
  const { config, file } = loaded.value;
  const own = { ...facts, configFile: file ?? null };
  try {
    return await testServer(config, own);
  } catch (error) {
    if (!(error instanceof OperatorError)) {
      throw error;
    }
    const report = { ok: false, ...own, services: [], problems: [error.message] };
    return { report, exit: error.exit };
  }
}

type Facts = Omit<SelfTestReport, 'ok' | 'readyMs' | 'services' | 'problems'>;

async function testServer(config: Config, facts: Facts): Promise<Tested> {
  const loopback = { host: '127.0.0.1', port: 0 };
  const own: Config = { ...config, ...loopback, admin: loopback };
  // What goes wrong is in the report.
  const log = await createLogger({ ...config.log, level: 'fatal' }, { stream: 'stderr' });
  const server = await composeServer(own, log);
  await server.start();
  try {
    await server.loaded;
    const readyMs = Math.round(performance.now());
    const services = await checkServices(server, config);
    const problems = await findReadinessProblems(server, facts.version);
    const ok = problems.length === 0 && services.every((service) => service.ok);
    const report = { ok, ...facts, readyMs, services, problems };
    return { report, exit: ok ? 'OK' : chooseExit(server) };
  } finally {
    await server.stop();
  }
}

async function checkServices(server: EdgeInferServer, { services }: Config) {
  const checked = services.map(({ deployName, deadlineMs }) => {
    const service = server.services.get(deployName);
    const options = { port: server.servicePort, timeoutMs: deadlineMs + PATIENCE_MS };
    const license = server.licenses.findDecision(deployName);
    return service === undefined ? [] : [checkService(service, license, options)];
  });
  return Promise.all(checked.flat());
}

/** What whoever waits for the server will read must be there, and of this version. */
async function findReadinessProblems(server: EdgeInferServer, version: string): Promise<string[]> {
  const report = await askRunningServer({ host: '127.0.0.1', port: server.adminPort }, PATIENCE_MS);
  if (!report.ok) {
    return [`/readyz of the admin address: expected an answer, found ${report.error}`];
  }
  const found = report.value.version;
  return found === version
    ? []
    : [`/readyz of the admin address: expected version ${version}, found ${found}`];
}

/** A model that cannot be loaded says more than an answer that differs. */
function chooseExit({ services }: EdgeInferServer): ExitCodeName {
  const isLoaded = [...services.values()].every((service) => service.status().state === 'ready');
  return isLoaded ? 'DIFFERENT' : 'CONFIG';
}
