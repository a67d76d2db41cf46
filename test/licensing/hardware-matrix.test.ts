import { expect, test } from 'vitest';
import { hardwareMatrix } from '../support/hardware-matrix/matrix.ts';
import { playRow } from '../support/hardware-matrix/row.ts';

test.each(hardwareMatrix)('$event: $expected', async (row) => {
  const { score, expected, got, gotScore } = await playRow(row);
  expect({ verdict: got, score: gotScore }).toEqual({ verdict: expected, score });
});

test('no event is listed twice', () => {
  const events = hardwareMatrix.map(({ event }) => event);
  expect(new Set(events).size).toBe(events.length);
});
