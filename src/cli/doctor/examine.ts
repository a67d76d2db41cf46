import type { ConfigSources } from '../../config/load.ts';
import { doApart } from '../apart.ts';
import { type Finding, problem, warning } from './finding.ts';

/** One check with what it found. */
export interface Examined {
  readonly check: string;
  readonly findings: readonly Finding[];
}

/** Large models take a while to hash; programs of the system are given less. */
const LIMIT_MS = 60_000;
const MODULE = new URL('examine-main.ts', import.meta.url);

/** Runs every check; what does not end in time is told instead. Never throws and never hangs. */
export async function examine(sources: ConfigSources, limitMs = LIMIT_MS): Promise<Examined[]> {
  const { names, found, reason } = await doApart<readonly Finding[]>(MODULE, sources, limitMs);
  if (names.length === 0) {
    const text = `the checks did not begin: ${reason}`;
    return [{ check: 'doctor', findings: [problem(text, 'This installation may be damaged.')] }];
  }
  const unfinished = warning(
    `this could not be checked: ${reason}`,
    'A disk, a network folder or a program of the system does not answer.',
    'sudo dmesg | tail',
  );
  return names.map((check) => ({ check, findings: found.get(check) ?? [unfinished] }));
}
