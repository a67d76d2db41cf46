import { setTimeout as delay } from 'node:timers/promises';
import type { ImageService } from '../inference/service.ts';
import type { Services } from './services.ts';

/** A server's services from one reload to the next, none of which is forgotten before it is closed. */
export interface ServicesInUse {
  /** Those that requests find. */
  readonly served: Services;
  /** Besides, under names that are not served yet, those that a reload loads. */
  readonly known: Services;
  /** Which workers hang, a sentence each: of the served ones, and of those that were. */
  readonly hangs: readonly string[];
  /** Loads services beside the served ones, unless all are closed already. */
  loadBeside(fresh: Services): Promise<void>;
  /** Serves these from now on; those that are left over answer what they have and are closed. */
  serve(services: Services): void;
  /** Closes all there are. With `left`, a worker hangs that only the end of the process ends. */
  close(): Promise<'ended' | 'left'>;
}

const POLL_MS = 20;

/** `onRetired` hears of a deploy name that is served no longer, once its last request is answered. */
export function createServicesInUse(
  initial: Services,
  onRetired: (deployName: string) => void,
): ServicesInUse {
  let served = initial;
  let beside: Services = new Map();
  const retiring = new Set<ImageService>();
  let isClosed = false;
  let isWorkerLeft = false;

  async function close(service: ImageService): Promise<void> {
    if ((await service.close()) === 'left') {
      isWorkerLeft = true;
    }
  }

  /** Every request ends, by its deadline at the latest; only where a worker hangs this never does. */
  async function retire(service: ImageService): Promise<void> {
    retiring.add(service);
    while (service.admission.openRequests > 0 && !isClosed) {
      await delay(POLL_MS, undefined, { ref: false });
    }
    await close(service);
    retiring.delete(service);
    if (!served.has(service.deployName)) {
      onRetired(service.deployName);
    }
  }

  return {
    get served() {
      return served;
    },
    get known() {
      return new Map([...beside, ...served]);
    },
    get hangs() {
      return [...served.values(), ...retiring].flatMap((service) => {
        const { deployName, hang } = service.status();
        return hang === undefined ? [] : [`${deployName}: ${hang}`];
      });
    },
    async loadBeside(fresh) {
      if (isClosed) {
        return;
      }
      beside = fresh;
      await Promise.all([...fresh.values()].map((service) => service.load()));
    },
    serve(services) {
      const used = new Set(services.values());
      const leftOver = [...served.values(), ...beside.values()].filter((one) => !used.has(one));
      served = services;
      beside = new Map();
      for (const service of leftOver) {
        void retire(service);
      }
    },
    async close() {
      isClosed = true;
      const all = new Set([...served.values(), ...beside.values(), ...retiring]);
      await Promise.all([...all].map(close));
      return isWorkerLeft ? 'left' : 'ended';
    },
  };
}
