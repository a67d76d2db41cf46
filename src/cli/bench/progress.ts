import { createProgressBar } from '../progress-bar.ts';

/** Tells on standard error how far the measuring is; on a terminal with a bar, else in lines. */
export interface Progress {
  /** Says what is done now, which takes no known time. */
  say(what: string): void;
  /** Begins something that takes about so long, with so much to follow. */
  begin(what: string, milliseconds: number, followingMs: number): void;
  /** Tells an outcome. */
  tell(outcome: string): void;
  stop(): void;
}

const UPDATE_MS = 250;

export function createProgress(): Progress {
  return process.stderr.isTTY ? createBar() : createLines();
}

function createLines(): Progress {
  const write = (text: string) => void process.stderr.write(`${text}\n`);
  return { say: write, begin: () => undefined, tell: write, stop: () => undefined };
}

function createBar(): Progress {
  const bar = createProgressBar('{bar} {what}, {left} s left');
  let timer: NodeJS.Timeout | undefined;
  let doneMs = 0;

  function hide(): void {
    clearInterval(timer);
    if (timer !== undefined) {
      bar.stop();
      timer = undefined;
    }
  }

  return {
    say(what) {
      process.stderr.write(`${what}\n`);
    },
    begin(what, milliseconds, followingMs) {
      hide();
      const startedMs = performance.now();
      const total = doneMs + milliseconds + followingMs;
      const payload = () => {
        const passedMs = Math.min(performance.now() - startedMs, milliseconds);
        const leftMs = milliseconds - passedMs + followingMs;
        return [doneMs + passedMs, { what, left: Math.ceil(leftMs / 1000) }] as const;
      };
      bar.start(total, ...payload());
      timer = setInterval(() => bar.update(...payload()), UPDATE_MS);
      doneMs += milliseconds;
    },
    tell(outcome) {
      hide();
      process.stderr.write(`${outcome}\n`);
    },
    stop: hide,
  };
}
