import { DAY_MS, HOUR_MS } from '../../src/licensing/clock-policy.ts';
import { BUILT_MS, type History, type SimulatedHost } from './host.ts';
import type { Random } from './random.ts';

const MOST_STEPS = 6;

async function repeat(random: Random, step: (number: number) => Promise<void>): Promise<void> {
  for (let number = 0, steps = 3 + random.index(MOST_STEPS); number < steps; number++) {
    await step(number);
  }
}

function stretch(host: SimulatedHost, random: Random): number {
  return host.lengthMs * random.between(0.02, 0.4);
}

/** Some time within the term, by the host's clock. */
function within(host: SimulatedHost, random: Random): number {
  return host.term.iatMs + random.fraction() * host.lengthMs;
}

/** What people try who want more than they were given. */
export const dishonestHistories = {
  'the clock put back at each start': async (host, random) => {
    await repeat(random, async () => {
      host.setClock(host.nowMs - random.spread(1000, 2 * host.lengthMs));
      await host.live(stretch(host, random));
    });
  },

  'the clock stopped': async (host, random) => {
    const frozenMs = within(host, random);
    await host.start();
    await repeat(random, async () => {
      host.setClock(frozenMs);
      await host.run(stretch(host, random));
    });
  },

  'the clock put back while the server runs, less than a day at a time': async (host, random) => {
    await host.start();
    await repeat(random, async () => {
      const forMs = stretch(host, random);
      await host.run(forMs);
      host.setClock(host.nowMs - Math.min(forMs, random.between(0.5, 1) * DAY_MS));
    });
  },

  'the clock forward and back': async (host, random) => {
    await repeat(random, async () => {
      const aheadMs = random.spread(HOUR_MS, 3000 * DAY_MS);
      host.setClock(host.nowMs + aheadMs);
      await host.live(random.spread(60_000, 2 * DAY_MS));
      host.setClock(host.nowMs - aheadMs);
      await host.live(stretch(host, random));
    });
  },

  'a clock in 1970, on purpose': async (host, random) => {
    await host.live(stretch(host, random));
    await repeat(random, async () => {
      host.setClock(random.chance(0.7) ? random.between(0, BUILT_MS) : Date.UTC(2099));
      await host.live(stretch(host, random));
    });
  },

  'the end awaited, and then every other clock': async (host, random) => {
    await host.live(stretch(host, random));
    host.setClock(host.end - DAY_MS);
    await host.live(random.between(3, 4) * DAY_MS);
    await repeat(random, async () => {
      const clocks = [0, BUILT_MS + DAY_MS, Date.UTC(2099), host.end - 1, within(host, random)];
      host.setClock(clocks[random.index(clocks.length)] ?? 0);
      await host.live(random.spread(HOUR_MS, 3 * DAY_MS));
    });
  },

  'long after the end, one jump provoked after the other': async (host, random) => {
    await host.live(stretch(host, random));
    host.setClock(host.end + random.between(8, 300) * DAY_MS);
    await repeat(random, async () => {
      await host.live(random.between(1, 23) * HOUR_MS);
      host.setClock(host.nowMs + random.between(1, 100) * DAY_MS);
      if (random.chance(0.3)) {
        const nowMs = host.nowMs;
        host.setClock(0);
        await host.live(HOUR_MS);
        host.setClock(nowMs);
      }
    });
  },

  'a licence used before it begins': async (host, random) => {
    await repeat(random, async () => {
      const earlierMs = host.term.iatMs - random.between(0.5, 300) * DAY_MS;
      host.setClock(Math.max(BUILT_MS, earlierMs));
      await host.live(stretch(host, random));
    });
  },

  'one copy of the records put back before each start': async (host, random) => {
    const clockMs = within(host, random);
    let backup: string | undefined;
    await repeat(random, async (number) => {
      host.setClock(clockMs);
      await host.live(stretch(host, random));
      const place = random.index(2);
      if (number < 2) backup = host.places[place]?.text;
      host.putBack(place, random.chance(0.8) ? backup : undefined);
    });
  },

  'the server killed before it writes': async (host, random) => {
    await repeat(random, async () => {
      for (let kills = random.index(3); kills > 0; kills--) {
        await host.live(random.spread(1, 5 * 60_000));
      }
      if (random.chance(0.3)) host.setClock(within(host, random));
      await host.live(stretch(host, random));
    });
  },

  'two servers that are killed in turn, with a frozen clock': async (host, random) => {
    const frozenMs = within(host, random);
    await host.start();
    await repeat(random, async () => {
      host.setClock(frozenMs);
      await host.start();
      await host.run(stretch(host, random) / 2);
      host.killOne();
      await host.run(stretch(host, random) / 2);
    });
  },

  'anything at all': async (host, random) => {
    let backup: string | undefined;
    const deeds: (() => Promise<void> | void)[] = [
      () => host.live(random.spread(1, host.lengthMs)),
      () => host.run(random.spread(1000, DAY_MS)),
      () => host.start(),
      () => host.kill(),
      () => host.pass(random.spread(1000, host.lengthMs)),
      () => host.suspend(random.spread(1000, host.lengthMs)),
      () => host.setClock(within(host, random)),
      () => host.setClock(host.nowMs + random.spread(1000, 4000 * DAY_MS)),
      () => host.setClock(host.nowMs - random.spread(1000, 400 * DAY_MS)),
      () => host.setClock(random.chance(0.5) ? 0 : Date.UTC(2099)),
      () => {
        backup = host.places[random.index(2)]?.text;
      },
      () => host.putBack(random.index(2), backup),
    ];
    await repeat(random, async () => {
      for (let more = 0; more < 2; more++) await deeds[random.index(deeds.length)]?.();
    });
  },
} satisfies Record<string, History>;
