import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { wireErrors } from '../core/errors.ts';
import { createListener, type Listener } from '../http/listener.ts';
import { describeOtherAddress, type PassedSockets } from '../systemd/listen-fds.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type AddressName = keyof PassedSockets;

export interface AddressesOptions {
  readonly config: Config;
  readonly sockets: PassedSockets;
  /** Asked for each request, so that a reload can change it. */
  readonly findHandler: (name: AddressName) => RequestListener;
  readonly nextLogId: () => bigint;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Both addresses, each on the socket that was passed for it or opened as configured. */
export interface Addresses {
  readonly listeners: Readonly<Record<AddressName, Listener>>;
  open(name: AddressName): Promise<void>;
  /**
   * Callers wait in a passed socket rather than being told that the model is loading: so a restart
   * refuses nobody. Not for long, because one who waits does not know for what.
   */
  openServiceOnce(loaded: Promise<void>, stopping: AbortSignal): Promise<void>;
  /** Has a reload's limits from now on; addresses stay. */
  adopt(config: Config): void;
  /** Where passed sockets listen elsewhere than the configuration says, and what to do. */
  readonly warnings: readonly string[];
}

/** Callers wait this long at most in a passed socket while the models load, in ms. */
const HOLD_MS = 10_000;

export function createAddresses(options: AddressesOptions): Addresses {
  const { sockets, findHandler, nextLogId, log, metrics } = options;
  let { config } = options;
  const opened = new Set<AddressName>();
  let warnings: readonly string[] = [];

  const listen = (name: AddressName, { host, port }: Config['admin'], portFlag: string) =>
    createListener((request, response) => findHandler(name)(request, response), {
      name,
      portFlag,
      host,
      port,
      fd: sockets[name],
      ...config.http,
      nextLogId,
      log,
      onDroppedConnection: metrics.countDroppedConnection,
      onProtocolFault: () => metrics.countRequest('', wireErrors.INVALID_ARGUMENT.wireCode),
    });
  const listeners = {
    admin: listen('admin', config.admin, '--admin.port'),
    service: listen('service', config, '--port'),
  };

  async function open(name: AddressName): Promise<void> {
    await listeners[name].start();
    opened.add(name);
    compareAddresses();
  }

  function compareAddresses(): void {
    const configured = { admin: config.admin, service: config };
    const found = [...opened]
      .filter((name) => sockets[name] !== undefined)
      .flatMap(
        (name) => describeOtherAddress(name, configured[name], listeners[name].address) ?? [],
      );
    for (const warning of found.filter((one) => !warnings.includes(one))) {
      log.warn(warning);
    }
    warnings = found;
  }

  return {
    listeners,
    open,
    async openServiceOnce(loaded, signal) {
      if (sockets.service !== undefined) {
        const patience = delay(HOLD_MS, undefined, { signal }).catch(() => undefined); // stopped meanwhile
        await Promise.race([loaded, patience]);
      }
      if (!signal.aborted) {
        await open('service');
      }
    },
    adopt(next) {
      config = next;
      listeners.admin.adopt(next.http);
      listeners.service.adopt(next.http);
      compareAddresses();
    },
    get warnings() {
      return warnings;
    },
  };
}
