import { readdirSync } from 'node:fs';
import { readProcFile } from './proc-file.ts';

// The kernel's clock tick, which /proc counts CPU time in; Linux fixes it at 100 a second.
const TICK_MS = 10;

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Its own and that of children which it has waited for. */
  readonly cpuMs: number;
}

/** What a server and all the processes that it started take, read from /proc. */
export class ProcessTree {
  readonly #root: number;

  /** `root` leads a session of its own (`spawn` with `detached`), so that orphans are found too. */
  constructor(root: number) {
    this.#root = root;
  }

  pids(): number[] {
    return this.#members().map(({ pid }) => pid);
  }

  /** CPU time so far, user and system, in ms; processes that have ended count once waited for. */
  cpuMs(): number {
    return this.#members().reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }

  /** Sends a signal to every process of the tree, the first one first. */
  kill(signal: NodeJS.Signals): void {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
          throw error; // ESRCH: it has ended meanwhile
        }
      }
    }
  }

  #members(): ProcessEntry[] {
    const all = readProcesses();
    const members = new Map<number, ProcessEntry>();
    // Parents may have higher numbers than their children, hence the repetition.
    for (let size = -1; size < members.size; ) {
      size = members.size;
      for (const entry of all) {
        const belongs =
          entry.pid === this.#root || entry.session === this.#root || members.has(entry.parent);
        if (belongs) {
          members.set(entry.pid, entry);
        }
      }
    }
    return [...members.values()];
  }
}

function readProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readProcFile(`/proc/${name}/stat`);
      if (stat === '') {
        return [];
      }
      // After the parenthesised name: fields 3 (state) on. 4 is the parent, 6 the session, 14 to 17
      // utime, stime, cutime and cstime (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return {
        pid: Number(name),
        parent: Number(fields[1]),
        session: Number(fields[3]),
        cpuMs: ticks * TICK_MS,
      };
    });
}
