import { fileURLToPath } from 'node:url';
import { err, type Result } from '../core/result.ts';
import type { HostFacts } from './components.ts';
import { monotonicMs } from './monotonic.ts';
import { type Reading, startReadingProcess } from './reading-process.ts';

const PROGRAM = fileURLToPath(new URL('./read-main.ts', import.meta.url));

/**
 * Of the deadline, what programs may take: then they are ended, and the rest is for what was found
 * without them.
 */
const PROGRAMS_SHARE = 0.8;

export type ReadDepth = 'files' | 'all';

export interface ReadOptions {
  /** After this many ms there is an answer, whatever a disk or a driver does. */
  readonly deadlineMs: number;
  /** `files` asks no programs, which takes a tenth of the time and may find less. Default: `all`. */
  readonly depth?: ReadDepth;
  /** See root-digests.ts; default: `ROOT_DIGESTS_FILE` there. */
  readonly rootDigestsFile?: string;
}

/**
 * Reads what this host is. The error is a sentence for the operator: nothing was learnt about the
 * hardware, which is another thing than other hardware.
 */
export function readHostFacts(options: ReadOptions): Promise<Result<HostFacts, string>> {
  return startReading(options).result;
}

/** The same for who reads again and again: there is never more than one process, hanging or not. */
export function createFactsReader(start: (options: ReadOptions) => Reading = startReading) {
  let processes: Promise<unknown> = Promise.resolve();

  return async (options: ReadOptions): Promise<Result<HostFacts, string>> => {
    const before = processes;
    // While it waits, this timer alone may be what keeps a command from ending before its answer.
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(late.resolve, options.deadlineMs, 'late');
    const turn = Promise.withResolvers<unknown>();
    processes = turn.promise;
    const isLate = (await Promise.race([before, late.promise])) === 'late';
    clearTimeout(timer);
    if (isLate) {
      turn.resolve(before);
      return err('the hardware could not be read: an earlier reading still hangs');
    }
    try {
      const { result, ended } = start(options);
      turn.resolve(ended);
      return await result;
    } finally {
      turn.resolve(undefined); // where none could be started
    }
  };
}

function startReading({ deadlineMs, depth = 'all', rootDigestsFile }: ReadOptions): Reading {
  const nowMs = monotonicMs();
  const programsEnd = depth === 'files' ? '-' : `${nowMs + deadlineMs * PROGRAMS_SHARE}`;
  return startReadingProcess(
    [PROGRAM, `${nowMs + deadlineMs}`, programsEnd, ...(rootDigestsFile ? [rootDigestsFile] : [])],
    deadlineMs,
  );
}
