import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigSources } from '../../config/load.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import type { HostView } from '../doctor/host-view.ts';
import { askAt } from '../doctor/server-view.ts';
import { SERVICE_UNIT, unitNames } from '../doctor/units.ts';
import { describeHostFacts } from './host-facts.ts';
import { runOwnCommand } from './own-command.ts';
import type { Source } from './source.ts';
import { hideUnitSecrets } from './unit-files.ts';

export interface SourceOptions {
  readonly host: HostView;
  readonly configSources: ConfigSources;
  /** A log to take the end of, where there is no journal. */
  readonly logFile: string | undefined;
}

const LOG_LINES = 2_000;
const MAX_LOG_BYTES = 2 * 1024 ** 2;

/** Everything that the vendor may need, in the order of the list. */
export function listSources({ host, configSources, logFile }: SourceOptions): Source[] {
  const { flags = {}, env } = configSources;
  const configArguments = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const own = (...command: readonly string[]) =>
    runOwnCommand([...command, ...configArguments], { ...process.env, ...env, NO_COLOR: '1' });
  return [
    { name: 'doctor.json', holds: 'what "doctor" finds', collect: () => own('doctor', '--json') },
    {
      name: 'config.json',
      holds: 'the settings in effect, and where each comes from',
      collect: () => own('config', 'show', '--json'),
    },
    {
      name: 'license.json',
      holds: 'the state of the licence, and which parts of the hardware match',
      collect: () => own('license', 'status', '--json'),
    },
    {
      name: 'models.json',
      holds: 'what "models check" finds',
      collect: () => own('models', 'check', '--json'),
    },
    { name: 'host.json', holds: 'system, processor and memory', collect: collectFacts },
    { name: 'release.json', holds: 'which release this is', collect: collectRelease },
    {
      name: 'readyz.json',
      holds: 'what the running server says of itself',
      collect: () => askServer(host, '/readyz'),
    },
    {
      name: 'metrics.txt',
      holds: 'counts and times of the running server',
      collect: () => askServer(host, '/metrics'),
    },
    {
      name: 'units.txt',
      holds: 'the unit files and their drop-ins',
      collect: () => collectUnits(host),
    },
    {
      name: 'units-state.txt',
      holds: 'what systemd says of the units',
      collect: () =>
        host.runProgram('systemctl', 'show', '--no-pager', ...shownProperties, ...unitNames),
    },
    {
      name: 'log.txt',
      holds: `the last ${LOG_LINES} lines of the log`,
      collect: () => (logFile === undefined ? collectJournal(host) : collectLog(logFile)),
    },
  ];
}

const shownProperties = [
  `--property=${[
    ...['Id', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'Result', 'NRestarts'],
    ...['ExecMainStatus', 'ExecMainCode', 'StatusText', 'StateChangeTimestamp', 'FragmentPath'],
    ...['DropInPaths', 'NeedDaemonReload', 'Listen', 'MemoryCurrent', 'MemoryPeak', 'TasksCurrent'],
  ].join(',')}`,
];

async function askServer(
  { server, addresses }: HostView,
  path: string,
): Promise<Result<string, string>> {
  return server.ok ? askAt(addresses.admin, path) : server;
}

async function collectFacts(): Promise<Result<string, string>> {
  return ok(await describeHostFacts());
}

/** Without its list of files, which the vendor has and which would be most of the bundle. */
async function collectRelease(): Promise<Result<string, string>> {
  const { root, version } = readPackageInfo();
  try {
    const text = await readFile(join(dirname(root), 'MANIFEST.json'), 'utf8');
    const { files, ...manifest } = JSON.parse(text) as { files: unknown[] };
    return ok(`${JSON.stringify({ ...manifest, fileCount: files.length }, null, 2)}\n`);
  } catch {
    return ok(`${JSON.stringify({ version, isFromArchive: false })}\n`);
  }
}

async function collectUnits({ runProgram }: HostView): Promise<Result<string, string>> {
  const files = await runProgram('systemctl', 'cat', '--no-pager', ...unitNames);
  return files.ok ? ok(hideUnitSecrets(files.value)) : files;
}

function collectJournal({ runProgram }: HostView): Promise<Result<string, string>> {
  return runProgram(
    'journalctl',
    ...['-u', SERVICE_UNIT, '-u', 'edge-infer-hardware.service', '-u', 'edge-infer-selftest@*'],
    ...['-n', `${LOG_LINES}`, '-o', 'short-iso', '--no-hostname', '--no-pager'],
  );
}

async function collectLog(file: string): Promise<Result<string, string>> {
  try {
    const text = (await readFile(file)).subarray(-MAX_LOG_BYTES).toString('utf8');
    return ok(`${text.trimEnd().split('\n').slice(-LOG_LINES).join('\n')}\n`);
  } catch (error) {
    return err((error as Error).message);
  }
}
