import { err, type Result } from '../core/result.ts';
import type { HostFacts } from '../hardware/components.ts';
import type { ReadDepth } from '../hardware/read-host-facts.ts';

/** What is known of the hardware after a reading of it. */
export interface KnownHardware {
  /** Or why nothing could be learnt. */
  readonly facts: Result<HostFacts, string>;
  /** Whether these are all the facts that can be had. */
  readonly isComplete: boolean;
  /** Aborts when a later reading has ended. */
  readonly outdated: AbortSignal;
}

/** The latest that is known of the hardware. Nobody waits for more: a driver may take seconds. */
export interface HardwareWatch {
  readonly known: KnownHardware;
  /** Resolves when something has been learnt or could not be. */
  readonly first: Promise<void>;
  /** Reads again, after the reading under way. */
  read(): void;
  /** The same, unless the last reading was begun less than so many ms ago. */
  readIfOlderThan(ageMs: number): void;
  /** From now on everything is read: files alone tell enough on most hosts, and sooner. */
  deepen(): void;
}

export interface HardwareWatchOptions {
  readonly readFacts: (depth: ReadDepth) => Promise<Result<HostFacts, string>>;
  readonly upMs: () => number;
  readonly onFailure: (error: unknown) => void;
}

export function watchHardware({ readFacts, upMs, onFailure }: HardwareWatchOptions): HardwareWatch {
  let outdating = new AbortController();
  let known: KnownHardware = {
    facts: err('the hardware has not been read yet'),
    isComplete: false,
    outdated: outdating.signal,
  };
  let depth: ReadDepth = 'files';
  let begunMs = Number.NEGATIVE_INFINITY;
  let wantsMore = false;
  let reading: Promise<void> | undefined;
  const first = Promise.withResolvers<void>();

  async function readOnce(): Promise<void> {
    begunMs = upMs();
    wantsMore = false;
    const asked = depth;
    let { facts } = known;
    try {
      const learnt = await readFacts(asked);
      // That nothing could be read is not that something has changed.
      facts = learnt.ok || !facts.ok ? learnt : facts;
    } catch (error) {
      onFailure(error);
    }
    const before = outdating;
    outdating = new AbortController();
    const isComplete = known.isComplete || asked === 'all';
    known = { facts, isComplete, outdated: outdating.signal };
    before.abort();
    reading = undefined;
    first.resolve();
    if (wantsMore) {
      read();
    }
  }

  function read(): void {
    wantsMore = true;
    reading ??= readOnce();
  }

  return {
    get known() {
      return known;
    },
    first: first.promise,
    read,
    readIfOlderThan(ageMs) {
      if (reading === undefined && upMs() - begunMs >= ageMs) {
        read();
      }
    },
    deepen() {
      if (depth === 'files') {
        depth = 'all';
        read();
      }
    },
  };
}
