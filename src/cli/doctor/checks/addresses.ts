import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Address, askAt, isHeldForStopped } from '../../running-server.ts';
import { readListenAddress } from '../../units/listen-address.ts';
import { ADMIN_SOCKET, SERVICE_SOCKET, SERVICE_UNIT, type UnitName } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { findListener } from '../listeners.ts';

const STATUS = 'sudo systemctl status edge-infer';

interface Place {
  readonly name: 'service' | 'admin';
  readonly socket: UnitName;
  readonly address: Address;
  /** As the configuration has it. */
  readonly configured: Address | undefined;
}

/** Who listens on the two addresses, and from where they are reached. */
export const addressesCheck: Check = {
  name: 'addresses',
  async run(host) {
    const { addresses, config } = host;
    const places: Place[] = [
      {
        name: 'service',
        socket: SERVICE_SOCKET,
        address: addresses.service,
        configured: config,
      },
      {
        name: 'admin',
        socket: ADMIN_SOCKET,
        address: addresses.admin,
        configured: config?.admin,
      },
    ];
    const found = await Promise.all(places.map((place) => checkPlace(place, host)));
    return found.flat();
  },
};

async function checkPlace(place: Place, host: HostView): Promise<Finding[]> {
  return [
    ...(await describeListener(place, host)),
    ...describeDifference(place, host),
    ...describeReach(place, host),
  ];
}

async function describeListener(
  { name, address, socket }: Place,
  { unit }: HostView,
): Promise<Finding[]> {
  const where = describe(name, address);
  if (address.port === 0) {
    return [fine(`${where}: the system chooses a free port at each start`)];
  }
  if (isHeldForStopped(unit, socket)) {
    const meaning = 'Connections wait there until the service runs.';
    return [note(`${where}: systemd holds it open`, meaning)];
  }
  const answer = await askAt(address, '/healthz');
  if (answer.ok && answer.value.includes('"alive"')) {
    return [fine(`${where}: edge-infer answers`)];
  }
  const listener = await findListener(address.port);
  if (listener === undefined) {
    return unit(SERVICE_UNIT) === undefined
      ? [fine(`${where}: free; nothing listens there`)]
      : [
          problem(
            `${where}: nothing listens`,
            'Connections are refused.',
            `sudo systemctl restart ${socket} edge-infer`,
          ),
        ];
  }
  const who = listener.program === undefined ? 'a program' : listener.program;
  const own = unit(socket)?.get('ActiveState') === 'active' || /^(edge-infer|node)/.test(who);
  return [
    own
      ? problem(
          `${where}: it is open and does not answer (${answer.ok ? 'with something else' : answer.error})`,
          'Another program, or one that hangs.',
          STATUS,
        )
      : problem(
          `${where}: ${who} listens there, which is not edge-infer`,
          'The server cannot start with this port; stop that program or choose another port.',
          `sudo ss -ltnp 'sport = :${address.port}'`,
        ),
  ];
}

/** The socket unit has the last word; who changes the configuration alone wonders why nothing happens. */
function describeDifference({ name, socket, configured }: Place, { unit }: HostView): Finding[] {
  const held = readListenAddress(unit(socket));
  if (
    held === undefined ||
    configured === undefined ||
    (held.host === configured.host && held.port === configured.port)
  ) {
    return [];
  }
  return [
    warning(
      `${describe(name, configured)} is configured, and ${socket} holds ${held.host} port ${held.port}`,
      'The socket unit decides; installing again writes what is configured into it.',
      'sudo sh /opt/edge-infer/current/install.sh',
    ),
  ];
}

function describeReach({ name, address }: Place, { unit }: HostView): Finding[] {
  const where = describe(name, address);
  const isLocal = isLoopback(address.host);
  if (name === 'admin') {
    return isLocal
      ? []
      : [
          warning(
            `${where} is reached from ${describeNetworks(address.host)}`,
            'Metrics and versions are told to whoever asks; keep admin.host at 127.0.0.1.',
          ),
        ];
  }
  if (isLocal) {
    return [
      note(
        `${where} is reached from this host alone`,
        'For clients elsewhere set host to 0.0.0.0, or to an address of this host.',
      ),
    ];
  }
  const isPrivateOnly = unit(SERVICE_UNIT) !== undefined;
  return [
    fine(
      `${where} is reached from ${describeNetworks(address.host)}${isPrivateOnly ? ', by clients with private addresses unless a drop-in allows others' : ''}`,
    ),
  ];
}

function describe(name: string, { host, port }: Address): string {
  return `${name} address ${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function describeNetworks(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') {
    return `the network of ${host}`;
  }
  const names = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.some(({ internal }) => !internal) ? [name] : [],
  );
  return names.length === 0 ? 'every network (none is up)' : `every network (${names.join(', ')})`;
}
