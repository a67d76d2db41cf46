import { DAY_MS, HOUR_MS } from '../../src/licensing/clock-policy.ts';
import { BUILT_MS, type History, type SimulatedHost } from './host.ts';
import type { Random } from './random.ts';

/** How often something happens in a history, at most. */
const MOST_STEPS = 7;

/** Goes on until some time after the true end. */
async function toTheEnd(
  host: SimulatedHost,
  step: (number: number) => Promise<void> | void,
): Promise<void> {
  for (let number = 0; number < MOST_STEPS && host.trueMs < host.end + 2 * DAY_MS; number++) {
    await step(number);
  }
}

/** A part of the term such that the steps reach its end. */
function stretch(host: SimulatedHost, random: Random): number {
  return host.lengthMs * random.between(0.02, 0.3);
}

/** What happens to hosts of people who mean no harm, by the name that the documentation has. */
export const honestHistories = {
  'a clock that drifts and is corrected, with leap seconds': async (host, random) => {
    await host.start();
    await toTheEnd(host, async () => {
      host.drift = random.between(-1, 1) * 2e-4; // up to 17 s a day
      await host.run(stretch(host, random));
      host.setClock(host.trueMs + (random.chance(0.5) ? 0 : random.between(-1, 1) * 1000));
    });
  },

  'office hours, with weekends': async (host, random) => {
    await toTheEnd(host, async () => {
      await host.live(random.between(0.5, 12) * HOUR_MS);
      host.pass((random.chance(0.2) ? 3 : 0) * DAY_MS + random.between(10, 16) * HOUR_MS);
    });
  },

  'a hardware clock in local time, corrected after each start, with daylight saving': async (
    host,
    random,
  ) => {
    let zoneMs = random.between(-11, 13) * HOUR_MS;
    await toTheEnd(host, async () => {
      if (random.chance(0.2)) zoneMs += (random.chance(0.5) ? 1 : -1) * HOUR_MS;
      host.setClock(host.trueMs + zoneMs);
      await host.start();
      await host.run(random.spread(1000, 2 * HOUR_MS));
      host.setClock(host.trueMs);
      await host.run(stretch(host, random));
      host.kill();
      host.pass(random.spread(60_000, DAY_MS));
    });
  },

  'moves between time zones, the hardware clock in local time': async (host, random) => {
    const westMs = random.between(-12, -10) * HOUR_MS;
    await toTheEnd(host, async () => {
      host.setClock(host.trueMs + westMs + random.between(0, 23) * HOUR_MS);
      await host.live(stretch(host, random));
    });
  },

  'a machine that is suspended again and again': async (host, random) => {
    await host.start();
    await toTheEnd(host, async () => {
      await host.run(random.spread(60_000, 3 * DAY_MS));
      await host.suspend(random.spread(1000, host.lengthMs / 4));
    });
  },

  'power off for days and weeks': async (host, random) => {
    await toTheEnd(host, async () => {
      await host.live(random.spread(60_000, 3 * DAY_MS));
      host.pass(stretch(host, random));
    });
  },

  'a dead battery: 1970 at each start, and no later time': async (host, random) => {
    await toTheEnd(host, async () => {
      host.setClock(random.between(0, 60_000));
      await host.live(stretch(host, random));
      if (random.chance(0.5)) host.pass(random.spread(60_000, 3 * DAY_MS));
    });
  },

  'a dead battery: 1970 at each start, and the time some time later': async (host, random) => {
    await toTheEnd(host, async () => {
      host.setClock(random.between(0, 60_000));
      await host.start();
      await host.run(random.spread(1000, 3 * DAY_MS));
      host.setClock(host.trueMs);
      await host.run(stretch(host, random));
      host.kill();
      host.pass(random.spread(60_000, 3 * DAY_MS));
    });
  },

  'a firmware that starts at its own date, long before this release': async (host, random) => {
    const firmwareMs = BUILT_MS - random.between(100, 3000) * DAY_MS;
    await toTheEnd(host, async () => {
      host.setClock(firmwareMs);
      await host.start();
      await host.run(random.spread(1000, DAY_MS));
      if (random.chance(0.7)) host.setClock(host.trueMs);
      await host.run(stretch(host, random));
      host.kill();
    });
  },

  'one boot in 2099, for as long as it takes': async (host, random) => {
    const wrongBoot = random.index(4);
    await toTheEnd(host, async (number) => {
      if (number === wrongBoot) host.setClock(Date.UTC(2099, random.index(12)));
      await host.live(stretch(host, random));
      host.setClock(host.trueMs);
    });
  },

  'one boot days or years ahead, for less than a day': async (host, random) => {
    // Nothing speaks against a clock that is wrong when a signed licence is first seen.
    const wrongBoot = (host.isEvaluation ? 0 : 1) + random.index(4);
    await toTheEnd(host, async (number) => {
      if (number === wrongBoot) {
        host.setClock(host.trueMs + random.spread(DAY_MS / 2, 9 * 365 * DAY_MS));
        await host.live(random.spread(1000, 20 * HOUR_MS));
        host.setClock(host.trueMs);
      }
      await host.live(stretch(host, random));
      host.pass(random.spread(1000, DAY_MS));
    });
  },

  'a clock that is set right after the first hours': async (host, random) => {
    // A signed licence says when it was issued; a clock well before that is no honest beginning.
    const isFree = host.isEvaluation && random.chance(0.7);
    const earliest = isFree ? -300 * DAY_MS : -12 * HOUR_MS;
    const latest = isFree ? 300 * DAY_MS : 12 * HOUR_MS;
    host.setClock(Math.max(BUILT_MS, host.trueMs + random.between(earliest, latest)));
    await host.start();
    await host.run(random.spread(1000, isFree ? 0.9 * HOUR_MS : 12 * HOUR_MS));
    host.setClock(host.trueMs);
    await toTheEnd(host, () => host.run(stretch(host, random)));
  },

  'one copy of the records restored, damaged or lost, now and then': async (host, random) => {
    let backup: string | undefined;
    await toTheEnd(host, async () => {
      await host.live(stretch(host, random));
      const place = random.index(2);
      if (random.chance(0.4)) backup = host.places[place]?.text;
      const found = [backup, undefined, 'damaged'][random.index(3)];
      if (random.chance(0.7)) host.putBack(place, found);
    });
  },

  'crashes in a loop': async (host, random) => {
    await toTheEnd(host, async () => {
      for (let crashes = random.index(4); crashes > 0; crashes--) {
        await host.live(random.spread(1, 60_000));
      }
      await host.live(stretch(host, random));
    });
  },

  'a disk that is full for a time': async (host, random) => {
    await toTheEnd(host, async () => {
      host.setWritable(random.chance(0.5));
      await host.start();
      await host.run(stretch(host, random));
      host.setWritable(random.chance(0.5));
      await host.run(random.spread(1000, DAY_MS));
      host.kill();
    });
  },

  'two servers and short commands at once': async (host, random) => {
    await host.start();
    await toTheEnd(host, async () => {
      await host.start();
      await host.run(stretch(host, random));
      host.killOne();
    });
  },
} satisfies Record<string, History>;
