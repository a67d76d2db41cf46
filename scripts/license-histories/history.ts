import { type TrialRules, trialRules } from '../../src/licensing/trial-time.ts';
import { dishonestHistories } from './dishonest.ts';
import { honestHistories } from './honest.ts';
import { type History, SimulatedHost } from './host.ts';
import { type Property, Watcher } from './properties.ts';
import { createSeededRandom } from './random.ts';

export type KindName = keyof typeof honestHistories | keyof typeof dishonestHistories;

export interface Kind {
  readonly name: KindName;
  readonly isHonest: boolean;
  readonly history: History;
}

/** Every kind of history; number `n` is of kind `n % kinds.length`. */
export const kinds: readonly Kind[] = [
  ...listKinds(honestHistories, true),
  ...listKinds(dishonestHistories, false),
];

/** The policy, whole or with something removed. */
export interface Policy {
  readonly rules: TrialRules;
  readonly places: number;
  readonly settlesDays: boolean;
}

export const wholePolicy: Policy = { rules: trialRules, places: 2, settlesDays: true };

/** Signed trials are of so many days. */
const SIGNED_DAYS = [1, 3, 7, 14, 30, 60, 90];

/** Runs one history and tells what it has shown to be wrong, if anything. */
export async function runHistory(
  { isHonest, history }: Kind,
  seed: number,
  policy: Policy = wholePolicy,
): Promise<Property | undefined> {
  const random = createSeededRandom(seed);
  const watcher = new Watcher(isHonest);
  const host = new SimulatedHost(random, {
    ...policy,
    signedDays: random.chance(0.3) ? undefined : SIGNED_DAYS[random.index(SIGNED_DAYS.length)],
    onLook: (look) => watcher.onLook(look),
    onStart: (chargedMs) => watcher.onStart(chargedMs),
  });
  watcher.watch(host);
  await history(host, random);
  return watcher.violation;
}

function listKinds(histories: Partial<Record<KindName, History>>, isHonest: boolean): Kind[] {
  return Object.entries(histories).map(([name, history]) => ({
    name: name as KindName,
    isHonest,
    history,
  }));
}
