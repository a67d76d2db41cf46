import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { VARIABLE_PREFIX } from './names.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * This program's own variables (`EDGE_INFER_*`). The only place that reads `process.env` for
 * the configuration; everything else is handed what this returns.
 */
export function readEnvironment(all: Environment = process.env): Environment {
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => name.startsWith(VARIABLE_PREFIX)),
  );
}

/** Where programs of this user keep their state (XDG base directory specification). */
export function findUserStateDir(all: Environment = process.env): string {
  return findUserDir(all.XDG_STATE_HOME, '.local/state');
}

/** Where programs of this user keep what the user would not want to lose. */
export function findUserDataDir(all: Environment = process.env): string {
  return findUserDir(all.XDG_DATA_HOME, '.local/share');
}

function findUserDir(given: string | undefined, usual: string): string {
  const base = given !== undefined && isAbsolute(given) ? given : join(homedir(), usual);
  return join(base, 'edge-infer');
}
