import type { EdgeInferServer } from '../../compose/server.ts';
import type { Notifier } from '../../systemd/notify.ts';
import { startPinging } from '../../systemd/watchdog.ts';
import { describeStatusLine } from './status-line.ts';

export interface SystemdOptions {
  readonly server: EdgeInferServer;
  readonly notifier: Notifier;
  /** Undefined where no watchdog is set. */
  readonly watchdogMs: number | undefined;
  readonly version: string;
}

/** Keeps the service manager informed, from the beginning of the start to the end. */
export interface SystemdTold {
  /** Both addresses are open. */
  started(): void;
  stopping(): void;
  reloading(): void;
  reloaded(): void;
}

const LOOK_INTERVAL_MS = 1_000;
/** While models load, the time for the start is prolonged by this much, twice as often. */
const EXTENSION_MS = 30_000;
/** Preparing and loading have 10 minutes each before they fail; nothing else may take so long. */
const MAX_LOADING_MS = 20 * 60_000;
/** After the drain workers end, which takes 5 s at most, and records are written. */
const STOP_MARGIN_MS = 15_000;

/**
 * READY when every model has loaded or failed and one at least is ready. Where none is, the manager
 * ends the start when its time is up and tries again, which finds a model that was put back.
 */
export function tellSystemd(options: SystemdOptions): SystemdTold {
  const { server, notifier, watchdogMs } = options;
  const statuses = () => [...server.services.values()].map((service) => service.status());
  const isHung = () => server.hangs.length > 0;
  let isStarted = false;
  let isSettled = false;
  let isReady = false;
  let isStopping = false;
  let hasTriggered = false;
  let toldStatus = '';
  let extendedMs = Number.NEGATIVE_INFINITY;
  const startedMs = performance.now();

  function look(): void {
    tellStatus(
      isStopping
        ? 'Stopping: finishing the requests in progress'
        : describeStatusLine(server, options.version),
    );
    if (isStopping) {
      return;
    }
    if (!isReady && isStarted && isSettled && statuses().some(({ state }) => state === 'ready')) {
      isReady = true;
      notifier.ready();
    }
    if (!isReady && statuses().some(({ state }) => state === 'loading')) {
      prolongStart();
    }
    // Missed pings would end the process later, with as many requests cut.
    if (watchdogMs !== undefined && isHung() && !hasTriggered) {
      hasTriggered = true;
      notifier.trigger();
    }
  }

  function tellStatus(text: string): void {
    if (text !== toldStatus) {
      toldStatus = text;
      notifier.status(text);
    }
  }

  function prolongStart(): void {
    const nowMs = performance.now();
    if (nowMs - startedMs < MAX_LOADING_MS && nowMs - extendedMs >= EXTENSION_MS / 2) {
      extendedMs = nowMs;
      notifier.extendTimeout(EXTENSION_MS);
    }
  }

  if (notifier.isHeard) {
    look();
    setInterval(look, LOOK_INTERVAL_MS).unref();
    void server.settled.then(() => {
      isSettled = true;
      look();
    });
    void server.loaded.then(look);
    if (watchdogMs !== undefined) {
      startPinging(watchdogMs, () => !isHung(), notifier.ping);
    }
  }
  return {
    started() {
      isStarted = true;
      look();
    },
    reloading() {
      if (isReady && !isStopping) {
        notifier.reloading();
      }
    },
    reloaded() {
      if (isReady && !isStopping) {
        notifier.ready();
      }
      look();
    },
    stopping() {
      isStopping = true;
      notifier.stopping();
      notifier.extendTimeout(server.config.drainTimeoutMs + STOP_MARGIN_MS);
      look();
    },
  };
}
