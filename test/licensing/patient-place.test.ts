import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withPatience } from '../../src/licensing/patient-place.ts';
import type { RecordPlace } from '../../src/licensing/record-file.ts';
import { openRecords } from '../../src/licensing/records.ts';
import { MemoryPlace } from './memory-places.ts';
import { historyOf } from './open-folders.ts';

const patience = { readMs: 50, reviseMs: 50 };

/** A place that does not answer until it is let. */
function createHangingPlace() {
  const place = new MemoryPlace();
  let gate = Promise.withResolvers<void>();
  let asked = 0;
  async function wait(): Promise<void> {
    asked++;
    await gate.promise;
  }
  const hanging: RecordPlace = {
    path: '/hangs',
    read: async () => {
      await wait();
      return await place.read();
    },
    revise: async (revise) => {
      await wait();
      return await place.revise(revise);
    },
  };
  return {
    place,
    hanging: withPatience(hanging, patience),
    asked: () => asked,
    answer: () => gate.resolve(),
    hang() {
      gate = Promise.withResolvers();
    },
  };
}

const problem = { path: '/hangs', detail: 'does not answer; see to its disk or network share' };

test('a place that does not answer holds up no other, and is asked again when it has', async () => {
  const { place, hanging, asked, answer, hang } = createHangingPlace();
  const sound = new MemoryPlace();
  const records = await openRecords([hanging, withPatience(sound, patience)]);
  expect(records.problems).toEqual([problem]);
  records.add({ trials: { one: historyOf(0, 1) } });
  await records.save();
  expect(records.problems).toEqual([problem]);
  expect((await openRecords([sound])).content.trials.one?.ranMs).toBe(1);
  expect(asked()).toBe(1);

  answer();
  await delay(0);
  await records.save();
  expect(records.problems).toEqual([]);
  expect((await openRecords([place])).content.trials.one?.ranMs).toBe(1);

  hang();
  records.add({ trials: { one: historyOf(0, 2) } });
  await records.save();
  expect(records.problems).toEqual([problem]);
  expect((await openRecords([sound])).content.trials.one?.ranMs).toBe(2);
});
