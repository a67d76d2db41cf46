import type { Config } from '../config/schema.ts';
import type { PassedSockets } from '../systemd/listen-fds.ts';

/**
 * Keys that count only from the next start, of those in which the configurations differ. The
 * address of a socket that was passed is not this process's to change, ever.
 */
export function listRestartKeys(
  before: Config,
  after: Config,
  passed: PassedSockets = {},
): string[] {
  const read = ({ host, port, admin, stateDir, license, log }: Config) => ({
    ...(passed.service === undefined ? { host, port } : {}),
    ...(passed.admin === undefined ? { 'admin.host': admin.host, 'admin.port': admin.port } : {}),
    stateDir,
    'license.dir': license.dir,
    'license.recordsDir': license.recordsDir,
    'log.format': log.format,
  });
  const old = Object.entries(read(before));
  const values = Object.values(read(after));
  return old.flatMap(([key, value], index) => (value === values[index] ? [] : [key]));
}
