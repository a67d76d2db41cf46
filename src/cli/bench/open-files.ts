import { readFile } from 'node:fs/promises';
import { OperatorError } from '../../core/errors.ts';

/** What a server has open beside its callers: model, libraries, workers' queues, listeners. */
const OTHER_FILES = 100;

/**
 * Throws an OperatorError when this process, or the server that it starts under the same limit,
 * may not have a connection for each caller open. Without it the server would accept some and let
 * the rest wait for ever. Both may have as many as the hard limit, to which Node raises the soft.
 */
export async function checkOpenFiles(callers: number): Promise<void> {
  let limits: string;
  try {
    limits = await readFile('/proc/self/limits', 'utf8');
  } catch {
    return; // no such file on this system: connecting will tell
  }
  const limit = Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  const needed = callers + OTHER_FILES;
  if (limit < needed) {
    throw new OperatorError(
      'OS',
      `${callers} callers need ${needed} open files, and this system allows a process ${limit}; raise that with "ulimit -n ${needed}" or take fewer --callers`,
    );
  }
}
