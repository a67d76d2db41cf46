/** Places of an installation; scripts/package/host/installer/places.sh has the same. */
export const INSTALLATION = '/opt/edge-infer';
export const INSTALL_LOG = '/var/log/edge-infer-install.log';
export const INSTALL_LOCK = '/run/edge-infer-install.lock';
export const UNITS_FOLDER = '/etc/systemd/system';
/** Written before a switch of releases begins, taken away when it has ended. */
export const PENDING_FILE = `${INSTALLATION}/pending`;
export const ROLLED_BACK_LINK = `${INSTALLATION}/rolled-back`;
export const INSTALL_AGAIN = `sudo sh ${INSTALLATION}/current/install.sh`;

/** What the log of install.sh says of its last run. */
export interface LastInstallation {
  /** As the log has it. */
  readonly at: string;
  /** What was called, such as `install.sh --rollback`. */
  readonly call: string;
  /** Undefined where it did not fail. */
  readonly failure: string | undefined;
}

/** Each line begins with its time, each run with what was called; a failure is told by name. */
export function readLastInstallation(log: string): LastInstallation | undefined {
  const lines = log.split('\n').map((line) => /^(\S+) (.*)$/.exec(line) ?? []);
  const start = lines.findLastIndex(([, , text = '']) => text.startsWith('---- install.sh'));
  const [, at, call] = lines[start] ?? [];
  if (at === undefined || call === undefined) {
    return undefined;
  }
  const failures = lines
    .slice(start)
    .filter(([, , text = '']) => text.startsWith('edge-infer: '))
    .map(([, , text = '']) => text.replace('edge-infer: ', ''));
  return { at, call: call.replace(/^-+ /, '').trim(), failure: failures.at(-1) };
}

/** Whether `/proc/locks` says that somebody holds a file. */
export function isLocked(locks: string, inode: number): boolean {
  return locks.split('\n').some((line) => /\bFLOCK\b/.test(line) && line.includes(`:${inode} `));
}
