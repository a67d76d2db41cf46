import type { Config } from '../../config/schema.ts';
import type { Unit } from './units.ts';

/** The address of a socket unit: `127.0.0.1:24402 (Stream)` or `[::]:24401 (Stream)`. */
export function readListenAddress(socket: Unit | undefined): Config['admin'] | undefined {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]*)\]|([^:\s]*)):(\d+) \(Stream\)/.exec(socket?.list('Listen')[0] ?? '') ?? [];
  return port === undefined
    ? undefined
    : { host: bracketed ?? (plain || '0.0.0.0'), port: Number(port) };
}
