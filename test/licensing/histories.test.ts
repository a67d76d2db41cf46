import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kinds, runHistory } from '../../scripts/license-histories/history.ts';
import { removals } from '../../scripts/license-histories/removals.ts';

/** Of each kind; `npm run test:license-histories` runs a million of all. */
const HISTORIES = 400;

test.each(kinds)('$name: no property is violated', async (kind) => {
  for (let seed = 0; seed < HISTORIES; seed++) {
    expect(await runHistory(kind, seed), `seed ${seed}`).toBeUndefined();
  }
});

/** Numbers of `npm run test:license-histories` that failed once. */
test.each([987150])('history %i violates no property any more', async (number) => {
  const kind = kinds[number % kinds.length];
  expect(kind && (await runHistory(kind, number))).toBeUndefined();
  expect(kind?.name).toBe('one boot days or years ahead, for less than a day');
});

describe.each(Object.entries(removals))('a policy without %s', (_lacking, removal) => {
  test.each([...removal.caughtBy])('is caught by: %s', async (name) => {
    const kind = kinds.find((each) => each.name === name);
    let caught: string | undefined;
    for (let seed = 0; kind && caught === undefined && seed < HISTORIES; seed++) {
      caught = await runHistory(kind, seed, removal.policy);
    }
    expect(caught).toBeDefined();
  });
});

test('every kind of history catches a policy that lacks something', () => {
  const catching = new Set<string>(Object.values(removals).flatMap(({ caughtBy }) => caughtBy));
  expect([...catching].sort()).toEqual(kinds.map(({ name }) => name).sort());
});

test('the documentation lists the honest histories', () => {
  const text = readFileSync(new URL('../../src/licensing/README.md', import.meta.url), 'utf8');
  const [, list = ''] = /<!-- honest histories -->\n(.*?)<!-- \/honest/s.exec(text) ?? [];
  const honest = kinds.filter(({ isHonest }) => isHonest);
  expect(list).toBe(honest.map(({ name }) => `- ${name}\n`).join(''));
});
