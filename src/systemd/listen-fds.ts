import { isIP } from 'node:net';
import { OperatorError } from '../core/errors.ts';

/** Listening sockets that the service manager opened and passed, as descriptors of this process. */
export interface PassedSockets {
  readonly service?: number;
  readonly admin?: number;
}

/** A host and a port, as configured or as a socket has them. */
interface Address {
  readonly host: string;
  readonly port: number;
}

type Environment = Record<string, string | undefined>;

const FIRST_DESCRIPTOR = 3;
const NAMES = ['service', 'admin'] as const;
const EXPECTED = 'FileDescriptorName=service or FileDescriptorName=admin in its socket unit';

/**
 * Reads the passed sockets (`sd_listen_fds(3)`) and removes their variables from `env`, so that no
 * child takes them for its own. Node has marked the descriptors close-on-exec at its start.
 * Throws an OperatorError that names every socket which is of no use here.
 */
export function takePassedSockets(
  env: Environment = process.env,
  pid: number = process.pid,
): PassedSockets {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) {
    delete env[name];
  }
  if (LISTEN_PID !== `${pid}`) {
    return {}; // none, or another process's
  }
  const count = /^\d{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  const given = LISTEN_FDNAMES.split(':');
  const sockets: { service?: number; admin?: number } = {};
  const problems: string[] = [];
  for (let index = 0; index < count; index++) {
    const name = NAMES.find((known) => known === given[index]);
    const fd = FIRST_DESCRIPTOR + index;
    if (name === undefined) {
      const found = given[index] ? `the name "${given[index]}"` : 'no name';
      problems.push(`descriptor ${fd}: expected ${EXPECTED}, found ${found}`);
    } else if (sockets[name] !== undefined) {
      problems.push(
        `descriptor ${fd}: expected one socket named ${name}, found another; leave one ListenStream= in that socket unit`,
      );
    } else {
      sockets[name] = fd;
    }
  }
  if (problems.length > 0) {
    throw new OperatorError(
      'CONFIG',
      ['Sockets that the service manager passed cannot be used:', ...problems].join('\n  '),
    );
  }
  return sockets;
}

/** Where a passed socket listens elsewhere than the configuration says: a sentence with the remedy. */
export function describeOtherAddress(
  name: keyof PassedSockets,
  configured: Address,
  actual: Address,
): string | undefined {
  // Port 0 asks for any; a name may stand for any address.
  const isOtherPort = configured.port !== 0 && configured.port !== actual.port;
  const isOtherHost =
    isIP(configured.host) !== 0 && normalise(configured.host) !== normalise(actual.host);
  return isOtherPort || isOtherHost
    ? `the ${name} socket that systemd passed listens on ${show(actual)}, the configuration says ${show(configured)}; run install.sh again, which writes the configured address into the socket unit`
    : undefined;
}

/** All addresses of a host are the same wish in IPv4 and IPv6. */
function normalise(host: string): string {
  return host === '::' ? '0.0.0.0' : host.toLowerCase();
}

function show({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
