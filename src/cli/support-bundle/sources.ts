import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, type Result } from '../../core/result.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import type { HostView } from '../doctor/host-view.ts';
import { INSTALL_LOG } from '../doctor/installation.ts';
import { askAt } from '../running-server.ts';
import { SERVICE_UNIT, unitNames } from '../units/units.ts';
import { readFileEnd } from './file-end.ts';
import { describeHostFacts } from './host-facts.ts';
import { runOwnCommand } from './own-command.ts';
import type { Source, SourceContext } from './source.ts';
import { hideUnitSecrets } from './unit-files.ts';

const LOG_LINES = 2_000;
const INSTALL_LINES = 500;
/** Beyond what such a command is given. */
const OWN_LIMIT_MS = 200_000;

/** Everything that the vendor may need, in the order of the list. */
export const sources: readonly Source[] = [
  {
    name: 'doctor.json',
    holds: 'what "doctor" finds',
    limitMs: OWN_LIMIT_MS,
    collect: (context) => runOwn(context, 'doctor', '--json'),
  },
  {
    name: 'config.json',
    holds: 'the settings in effect, and where each comes from',
    limitMs: OWN_LIMIT_MS,
    collect: (context) => runOwn(context, 'config', 'show', '--json'),
  },
  {
    name: 'license.json',
    holds: 'the state of the licence, and which parts of the hardware match',
    limitMs: OWN_LIMIT_MS,
    collect: (context) => runOwn(context, 'license', 'status', '--json'),
  },
  {
    name: 'models.json',
    holds: 'what "models check" finds',
    limitMs: OWN_LIMIT_MS,
    collect: (context) => runOwn(context, 'models', 'check', '--json'),
  },
  { name: 'host.json', holds: 'system, processor and memory', collect: collectFacts },
  { name: 'release.json', holds: 'which release this is', collect: collectRelease },
  {
    name: 'readyz.json',
    holds: 'what the running server says of itself',
    collect: ({ host }) => askServer(host, '/readyz'),
  },
  {
    name: 'metrics.txt',
    holds: 'counts and times of the running server',
    collect: ({ host }) => askServer(host, '/metrics'),
  },
  {
    name: 'units.txt',
    holds: 'the unit files and their drop-ins',
    collect: ({ host }) => collectUnits(host),
  },
  {
    name: 'units-state.txt',
    holds: 'what systemd says of the units',
    collect: ({ host }) =>
      host.runProgram('systemctl', 'show', '--no-pager', ...shownProperties, ...unitNames),
  },
  {
    name: 'install.txt',
    holds: 'what install.sh did last',
    collect: () => readFileEnd(INSTALL_LOG, INSTALL_LINES),
  },
  {
    name: 'log.txt',
    holds: `the last ${LOG_LINES} lines of the log`,
    collect: ({ host, logFile }) =>
      logFile === undefined ? collectJournal(host) : readFileEnd(logFile, LOG_LINES),
  },
];

const shownProperties = [
  `--property=${[
    ...['Id', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'Result', 'NRestarts'],
    ...['ExecMainStatus', 'ExecMainCode', 'StatusText', 'StateChangeTimestamp', 'FragmentPath'],
    ...['DropInPaths', 'NeedDaemonReload', 'Listen', 'MemoryCurrent', 'MemoryPeak', 'TasksCurrent'],
  ].join(',')}`,
];

function runOwn(
  { configSources: { flags = {}, env } }: SourceContext,
  ...command: readonly string[]
): Promise<Result<string, string>> {
  const flagged = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  return runOwnCommand([...command, ...flagged], { ...process.env, ...env, NO_COLOR: '1' });
}

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
    ...[
      '-u',
      SERVICE_UNIT,
      '-u',
      'edge-infer-hardware.service',
      '-u',
      'edge-infer-confirm.service',
    ],
    ...['-u', 'edge-infer-selftest@*', '-u', 'edge-infer-candidate@*'],
    ...['-n', `${LOG_LINES}`, '-o', 'short-iso', '--no-hostname', '--no-pager'],
  );
}
