import { type Fault, fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import { createBodyMemory, sizeClass } from './body-memory.ts';

/**
 * Decides who may use a service's workers: first come, first served, bounded in requests and in
 * bytes of memory, with a deadline for the wait.
 */
export interface Admission {
  /** Lets a request's body arrive, unless the queue is full already. */
  open(): Result<Ticket, Fault>;
  /** Requests that are let in, whether their body is arriving, waiting or being worked on. */
  readonly openRequests: number;
  /** Of these, how many wait for a worker. */
  readonly waitingRequests: number;
  /** Bytes of memory held for bodies. */
  readonly heldBytes: number;
}

/** One request's place. `close` gives everything back, whatever happened; twice is harmless. */
export interface Ticket {
  /**
   * The request's memory, made at least `byteCount` bytes long with its first `keepBytes` kept;
   * `UNAVAILABLE` when the service's bound on bytes would be passed.
   */
  reserve(byteCount: number, keepBytes: number): Result<SharedArrayBuffer, Fault>;
  /**
   * Waits for a worker; a fault when the queue is full, or when `signal` aborts (deadline, caller
   * gone) first. A place is taken only now: a body that is slow to arrive keeps nobody out.
   */
  waitForWorker(signal: AbortSignal): Promise<Fault | undefined>;
  close(): void;
}

export interface AdmissionLimits {
  /** How many tickets may have a worker at a time. */
  readonly workers: number;
  /** How many may wait for one. */
  readonly maxRequests: number;
  readonly maxBytes: number;
}

/** Seconds after which a refused caller may expect a place. */
const RETRY_AFTER_S = 1;

export function createAdmission(limits: AdmissionLimits): Admission {
  const memory = createBodyMemory();
  let openRequests = 0;
  let heldBytes = 0;
  let freeWorkers = limits.workers;
  // In order of arrival. An array, because a Set that members keep entering and leaving makes the
  // engine hold on to what has left it until the next full collection.
  const waiting: (() => void)[] = [];

  function releaseWorker(): void {
    const next = waiting.shift();
    if (next === undefined) {
      freeWorkers++;
    } else {
      next();
    }
  }

  function queueFull(): Fault {
    const detail = `the queue is full: ${waiting.length} waiting, at most ${limits.maxRequests} may; try again soon`;
    return fault('UNAVAILABLE', detail, RETRY_AFTER_S);
  }

  function createTicket(): Ticket {
    let own: SharedArrayBuffer | undefined;
    let hasWorker = false;
    let isClosed = false;

    function giveBack(): void {
      if (own !== undefined) {
        heldBytes -= own.byteLength;
        memory.giveBack(own);
        own = undefined;
      }
    }

    return {
      reserve(byteCount, keepBytes) {
        if (own !== undefined && own.byteLength >= byteCount) {
          return ok(own);
        }
        if (heldBytes + sizeClass(byteCount) > limits.maxBytes) {
          return err(
            fault(
              'UNAVAILABLE',
              `the server holds as many bytes of requests as it may (${limits.maxBytes}); try again soon`,
              RETRY_AFTER_S,
            ),
          );
        }
        let larger: SharedArrayBuffer;
        try {
          larger = memory.take(byteCount);
        } catch {
          return err(fault('UNAVAILABLE', 'the host is out of memory', RETRY_AFTER_S));
        }
        heldBytes += larger.byteLength;
        if (own !== undefined) {
          new Uint8Array(larger).set(new Uint8Array(own, 0, keepBytes));
          giveBack();
        }
        own = larger;
        return ok(larger);
      },
      async waitForWorker(signal) {
        if (signal.aborted) {
          return deadlinePassed();
        }
        if (freeWorkers > 0) {
          freeWorkers--;
          hasWorker = true;
          return undefined;
        }
        if (waiting.length >= limits.maxRequests) {
          return queueFull();
        }
        return new Promise((resolve) => {
          const onTurn = () => {
            signal.removeEventListener('abort', onAbort);
            hasWorker = true;
            resolve(undefined);
          };
          const onAbort = () => {
            waiting.splice(waiting.indexOf(onTurn), 1);
            resolve(deadlinePassed());
          };
          waiting.push(onTurn);
          signal.addEventListener('abort', onAbort, { once: true });
        });
      },
      close() {
        if (isClosed) {
          return;
        }
        isClosed = true;
        openRequests--;
        giveBack();
        if (hasWorker) {
          releaseWorker();
        }
      },
    };
  }

  return {
    open() {
      if (waiting.length >= limits.maxRequests) {
        return err(queueFull());
      }
      openRequests++;
      return ok(createTicket());
    },
    get openRequests() {
      return openRequests;
    },
    get waitingRequests() {
      return waiting.length;
    },
    get heldBytes() {
      return heldBytes;
    },
  };
}

/** Also what a wait ends with when the caller hung up, who will not read it. */
export function deadlinePassed(): Fault {
  return fault(
    'UNAVAILABLE',
    'the deadline passed before an answer was ready; try again soon',
    RETRY_AFTER_S,
  );
}
