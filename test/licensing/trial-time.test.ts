import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, isServed, SLACK_MS } from '../../src/licensing/clock-policy.ts';
import { issueEvaluation } from '../../src/licensing/evaluation.ts';
import { openRecords } from '../../src/licensing/records.ts';
import {
  chargeAheadMs,
  selfIssuedTrial,
  signedTrial,
  startTrialTime,
  type Trial,
} from '../../src/licensing/trial-time.ts';
import { MemoryPlace } from './memory-places.ts';

const builtMs = Date.UTC(2026, 10, 1);
const iatMs = Date.UTC(2027, 0, 1);
const lengthMs = 30 * DAY_MS;
const trial = signedTrial('trial-1', { iatMs, expMs: iatMs + lengthMs });

/** A host with two places for records, an honest clock, and processes that start and die. */
function createHost(places = [new MemoryPlace(), new MemoryPlace()]) {
  const host = { nowMs: iatMs, upMs: 5000, places, start };
  const clocks = { nowMs: () => host.nowMs, upMs: () => host.upMs };
  async function start(ofTrial: Trial = trial) {
    const records = await openRecords(host.places);
    const time = await startTrialTime({ records, trial: ofTrial, builtMs, clocks });
    return {
      records,
      async run(forMs: number, stepMs = 60_000) {
        let verdict = time.look();
        for (let done = 0; done < forMs; done += stepMs) {
          host.nowMs += stepMs;
          host.upMs += stepMs;
          verdict = time.look();
          await time.saved();
        }
        return verdict;
      },
      look: time.look,
      nextLookInMs: time.nextLookInMs,
    };
  }
  return host;
}

const chargedIn = async (places: readonly MemoryPlace[]) =>
  (await openRecords(places)).content.trials['trial-1']?.ranMs ?? 0;

describe('running time', () => {
  test('is written down in both places before it is used', async () => {
    const host = createHost();
    const server = await host.start();
    for (let second = 0; second < 3600; second++) {
      for (const place of host.places) {
        expect(await chargedIn([place])).toBeGreaterThan(second * 1000);
      }
      await server.run(1000, 125);
    }
    expect(await chargedIn(host.places)).toBeLessThan(3600_000 + 60_000);
  });

  test('goes on where the last process was killed', async () => {
    const host = createHost();
    let ranMs = 0;
    for (let life = 0; life < 200; life++) {
      const server = await host.start();
      const forMs = 125 * (1 + ((life * 37) % 800));
      await server.run(forMs, 125); // and is killed
      ranMs += forMs;
      expect(await chargedIn(host.places)).toBeGreaterThanOrEqual(ranMs);
    }
    // Half a second for each start, and a sixtieth of the rest.
    expect(await chargedIn(host.places)).toBeLessThan(ranMs * (1 + 1 / 60) + 200 * 500);
  });

  test('of processes at the same time counts once', async () => {
    const host = createHost();
    const one = await host.start();
    await one.run(HOUR_MS);
    const two = await host.start();
    for (let minute = 0; minute < 60; minute++) {
      two.look();
      await one.run(60_000);
    }
    const charged = await chargedIn(host.places);
    expect(charged).toBeGreaterThanOrEqual(2 * HOUR_MS);
    expect(charged).toBeLessThan(2 * HOUR_MS + 3 * 60_000);
  });

  test('goes on from memory where nothing can be written, and is written when it can', async () => {
    const host = createHost();
    await (await host.start()).run(HOUR_MS);
    for (const place of host.places) place.isWritable = false;
    const server = await host.start();
    expect(await server.run(HOUR_MS)).toMatchObject({ state: 'TRIAL' });
    expect(server.records.problems).toHaveLength(2);
    expect(await chargedIn(host.places)).toBeLessThanOrEqual(HOUR_MS + 60_000);
    for (const place of host.places) place.isWritable = true;
    await server.run(120_000);
    expect(server.records.problems).toEqual([]);
    expect(await chargedIn(host.places)).toBeGreaterThan(2 * HOUR_MS);
  });

  test('that could not be written still ends the trial of this process', async () => {
    const host = createHost();
    for (const place of host.places) place.isWritable = false;
    const server = await host.start();
    for (let hour = 0; hour < 31 * 24; hour++) {
      host.nowMs = iatMs; // put back every hour
      expect(isServed(await server.run(HOUR_MS)), `hour ${hour}`).toBe(hour < 31 * 24 - 1);
    }
  });

  test('of an evaluation counts as well', async () => {
    const host = createHost();
    const records = await openRecords(host.places);
    const evaluation = issueEvaluation(records.content, []);
    records.add({ evaluations: [evaluation] });
    const start = () => host.start(selfIssuedTrial(evaluation.id, 30));
    await records.save();
    await (await start()).run(20 * DAY_MS);
    expect(await (await start()).run(9 * DAY_MS)).toMatchObject({ state: 'EXPIRING', warnDays: 1 });
    expect(await (await start()).run(DAY_MS)).toEqual({ state: 'EXPIRED', reason: 'date' });
  });

  test('is looked at every second at least, and sooner while little is charged', async () => {
    const host = createHost();
    const server = await host.start();
    expect(server.nextLookInMs()).toBe(375);
    await server.run(2 * HOUR_MS);
    expect(server.nextLookInMs()).toBe(1000);
  });
});

test.each([1, 7, 30, 90, 366])(
  'what is charged and lost in %i days is within the slack',
  (days) => {
    const length = days * DAY_MS;
    for (let upMs = 500; upMs < length; upMs *= 1.5) {
      // Killed right after charging, again and again, after a start of half a second each time.
      const lives = length / (upMs + 500);
      const lostMs = lives * (chargeAheadMs(upMs, length) - 500);
      expect(lostMs).toBeLessThanOrEqual(SLACK_MS / 2);
    }
  },
);
