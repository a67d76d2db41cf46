import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ROOT_DIGESTS_FILE } from '../../../hardware/root-digests.ts';
import { readPackageInfo } from '../../../platform/package-info.ts';
import { readSinceActiveS } from '../../units/unit-times.ts';
import {
  HARDWARE_UNIT,
  NO_SYSTEMD,
  SERVICE_UNIT,
  type Unit,
  unitNames,
} from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import { formatDuration } from '../format-units.ts';
import type { HostView } from '../host-view.ts';
import { readText } from '../read-text.ts';

/** Written by install.sh, from the configuration. */
const OWN_DROP_IN = '10-address.conf';

const WITHOUT_SERIALS = 'Serial numbers that only root may read were not recorded in this boot.';

const showLog = ({ name }: Unit) => `sudo journalctl -u ${name} -b -n 50 --no-pager`;

/** How systemd sees the service: running, starting at boot, restarted, changed by hand. */
export const unitCheck: Check = {
  name: 'unit',
  async run(host) {
    if (host.systemdProblem !== undefined) {
      return [describeUnasked(host.systemdProblem, host)];
    }
    if (host.unit(SERVICE_UNIT) === undefined) {
      return [
        note(
          'edge-infer is not installed as a service',
          'It runs only as long as somebody lets it run.',
        ),
      ];
    }
    const found = await Promise.all(
      unitNames.map((name) => checkUnit(host, host.unit(name), name)),
    );
    return found.flat();
  },
};

function describeUnasked(reason: string, { isRoot }: HostView): Finding {
  const text = `units are not checked: ${reason}`;
  if (reason === NO_SYSTEMD) {
    return note(text, 'Nothing starts the server by itself.');
  }
  return isRoot
    ? warning(text, 'systemd does not answer.', 'systemctl is-system-running')
    : note(text, 'Root sees more.', 'sudo edge-infer doctor');
}

async function checkUnit(host: HostView, unit: Unit | undefined, name: string): Promise<Finding[]> {
  if (unit === undefined) {
    return [
      warning(
        `${name} is not installed`,
        'The installation is not whole; installing again mends it.',
        'sudo sh /opt/edge-infer/current/install.sh',
      ),
    ];
  }
  return [
    ...describeState(unit, host),
    ...describeBoot(unit),
    ...(unit.get('NeedDaemonReload') === 'yes'
      ? [
          warning(
            `${name} was changed on disk and not read again`,
            'The change is not in force.',
            'sudo systemctl daemon-reload && sudo systemctl restart edge-infer',
          ),
        ]
      : []),
    ...(await describeEdits(unit)),
  ];
}

function describeState(unit: Unit, { server }: HostView): Finding[] {
  const { name } = unit;
  const [load, active, sub] = ['LoadState', 'ActiveState', 'SubState'].map(unit.get);
  if (load === 'masked') {
    return [problem(`${name} is masked`, 'It cannot start.', `sudo systemctl unmask ${name}`)];
  }
  if (load !== 'loaded') {
    return [
      problem(
        `${name} cannot be loaded (${load})`,
        'It cannot start.',
        `systemd-analyze verify ${name}`,
      ),
    ];
  }
  if (active === 'active') {
    const sinceS = readSinceActiveS(unit);
    const since = sinceS === undefined ? '' : ` for ${formatDuration(sinceS)}`;
    return name === HARDWARE_UNIT && !existsSync(ROOT_DIGESTS_FILE)
      ? [
          warning(
            `${name} has run, and ${ROOT_DIGESTS_FILE} is gone`,
            WITHOUT_SERIALS,
            `sudo systemctl restart ${name}`,
          ),
        ]
      : [fine(`${name} is active (${sub})${since}`), ...describeRestarts(unit)];
  }
  const text = `${name} is ${active} (${sub})`;
  if (active === 'failed' || (active === 'deactivating' && unit.get('Result') !== 'success')) {
    const tell = name === HARDWARE_UNIT ? warning : problem;
    return [tell(`${text}: ${explainEnd(unit)}`, ...findRemedy(unit))];
  }
  if (active === 'activating') {
    return [
      warning(
        `${text}: ${sub === 'auto-restart' ? explainEnd(unit) : unit.get('StatusText') || 'it is starting'}`,
        sub === 'auto-restart' ? 'It ends again and again.' : 'It is not ready yet.',
        showLog(unit),
      ),
    ];
  }
  if (name === HARDWARE_UNIT) {
    return [note(text, WITHOUT_SERIALS, `sudo systemctl start ${name}`)];
  }
  return [
    (server.ok ? warning : problem)(
      text,
      server.ok
        ? 'A server runs that systemd did not start.'
        : 'It was stopped, and nothing starts it again.',
      `sudo systemctl start ${name}`,
    ),
  ];
}

function describeRestarts(unit: Unit): Finding[] {
  const restarts = Number(unit.get('NRestarts'));
  return restarts > 0
    ? [
        warning(
          `${unit.name} has ended and was started again ${restarts === 1 ? 'once' : `${restarts} times`}`,
          'Something ends the server; the log says what.',
          showLog(unit),
        ),
      ]
    : [];
}

function describeBoot(unit: Unit): Finding[] {
  const state = unit.get('UnitFileState');
  return state === 'disabled'
    ? [
        warning(
          `${unit.name} is not enabled`,
          'It does not start when the host starts.',
          `sudo systemctl enable ${unit.name}`,
        ),
      ]
    : [];
}

/** By the exit codes of this program, and systemd's own words. */
function explainEnd(unit: Unit): string {
  const result = unit.get('Result');
  const status = Number(unit.get('ExecMainStatus'));
  if (unit.name.endsWith('.socket')) {
    return result === 'resources' ? 'its address is in use or not allowed' : result;
  }
  const texts: Readonly<Record<string, string>> = {
    watchdog: 'it hung and was ended',
    'oom-kill': 'it was ended for want of memory',
    timeout: 'it did not become ready, or did not stop, in time',
    'start-limit-hit': 'it was started too often in a short time',
    signal: `it was ended by signal ${status}`,
    'core-dump': `it crashed with signal ${status}`,
    resources: 'systemd could not start it for want of something',
  };
  const codes: Readonly<Record<number, string>> = {
    64: 'wrong usage of the command line',
    70: 'a fault of the program',
    71: 'the system refused something needed, such as a port',
    78: 'the configuration has errors',
  };
  return (
    texts[result] ?? `it ended with code ${status}${codes[status] ? `, ${codes[status]}` : ''}`
  );
}

function findRemedy(unit: Unit): [meaning: string, command: string] {
  if (unit.name === HARDWARE_UNIT) {
    return [WITHOUT_SERIALS, showLog(unit)];
  }
  return unit.get('ExecMainStatus') === '78'
    ? [
        'It is not tried again until the configuration is mended.',
        'edge-infer config check && sudo systemctl restart edge-infer',
      ]
    : ['It does not run.', `sudo systemctl restart ${unit.name}; ${showLog(unit)}`];
}

/** Files of this release that somebody has changed, and settings that somebody has added. */
async function describeEdits(unit: Unit): Promise<Finding[]> {
  const { name } = unit;
  const installed = unit.get('FragmentPath');
  const shipped = join(dirname(readPackageInfo().root), 'systemd', name);
  const texts = await Promise.all([installed, shipped].map(readText));
  const isEdited = texts.every((text) => text !== undefined) && texts[0] !== texts[1];
  const dropIns = unit
    .get('DropInPaths')
    .split(' ')
    .filter((path) => path !== '' && basename(path) !== OWN_DROP_IN);
  return [
    ...(isEdited
      ? [
          note(
            `${installed} is not the one of this release`,
            'It was edited by hand; a drop-in (systemctl edit) outlasts upgrades.',
            `diff ${shipped} ${installed}`,
          ),
        ]
      : []),
    ...(dropIns.length === 0
      ? []
      : [
          note(
            `${name} has drop-ins: ${dropIns.join(', ')}`,
            "Their settings count before the unit's.",
            `systemctl cat ${name}`,
          ),
        ]),
  ];
}
