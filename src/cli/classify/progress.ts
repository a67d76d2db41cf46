import { createProgressBar } from '../progress-bar.ts';
import type { SearchCounts } from './image-files.ts';

/** Fewer files are done before a bar is read. */
const LEAST_FILES = 5;

/** A bar on standard error, where that is a terminal; otherwise nothing happens. */
export interface Progress {
  /** One more file is done. */
  step(): void;
  /** Runs `write`, which prints to standard output, with the bar out of its way. */
  stepAside<T>(write: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** The total grows with `counts.found`: folders are not searched ahead of the work. */
export function createProgress(counts: SearchCounts): Progress {
  if (!process.stderr.isTTY) {
    return { step: () => undefined, stepAside: (write) => write(), stop: () => undefined };
  }
  const bar = createProgressBar('{bar} {value} of {total} files');
  let done = 0;
  let isShown = false;

  function show(): void {
    if (counts.found > LEAST_FILES && done < counts.found) {
      bar.start(counts.found, done);
      isShown = true;
    }
  }

  function hide(): void {
    if (isShown) {
      bar.stop();
      isShown = false;
    }
  }

  return {
    step() {
      done++;
      if (isShown) {
        bar.setTotal(counts.found);
        bar.update(done);
      } else {
        show();
      }
    },
    async stepAside(write) {
      if (!process.stdout.isTTY) {
        return write();
      }
      hide();
      const written = await write();
      show();
      return written;
    },
    stop: hide,
  };
}
