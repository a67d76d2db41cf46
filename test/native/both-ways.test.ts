import { describe, expect, test } from 'vitest';
import {
  judge,
  mutateFixtures,
  optionsFor,
  readFixtures,
  recipes,
} from '../../scripts/native-asan/both-ways.ts';
import { ways } from '../support/imaging-ways.ts';

const MUTATIONS = 1_000; // npm run test:native-asan goes through 10,000
const SEED = 11;

const [portable, ...native] = ways;
const cutFiles = [...readFixtures()].filter(([name]) => name.includes('after scan'));

async function expectSameVerdict(name: string, bytes: Uint8Array, which: number): Promise<string> {
  const recipe = recipes[which % recipes.length];
  if (recipe === undefined || portable === undefined) throw new Error('nothing to compare');
  const channels = recipe.colour === 'grey' ? 1 : 3;
  const expected = await judge(portable.create(optionsFor(recipe)), bytes, channels);
  for (const way of native) {
    const found = await judge(way.create(optionsFor(recipe)), bytes, channels);
    expect(found, `${name}, ${way.name}`).toBe(expected);
  }
  return expected;
}

describe('all ways give the same verdict and the same tensor', () => {
  test(`on ${MUTATIONS} damaged files`, async () => {
    const verdicts = new Set<string>();
    let index = 0;
    for (const [name, bytes] of mutateFixtures(MUTATIONS, SEED)) {
      verdicts.add(await expectSameVerdict(name, bytes, index++));
    }
    expect(verdicts.has('IMAGE_UNREADABLE')).toBe(true);
    expect(verdicts.size).toBeGreaterThan(200); // many were accepted as well
  });

  test.each(recipes.keys().toArray())(
    `on ${cutFiles.length} progressive files that lack scans, recipe %i`,
    async (which) => {
      const tensors = new Set<string>();
      for (const [name, bytes] of cutFiles) {
        tensors.add(await expectSameVerdict(name, bytes, which));
      }
      expect(tensors.size).toBeGreaterThan(cutFiles.length / 2);
    },
  );
});
