/** A small seeded generator (mulberry32), so that every run makes the same mutations. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * A copy of `bytes` with 1 to 4 faults of the kinds that files meet: changed bits and bytes,
 * extreme values, pieces removed, doubled, or the end cut off.
 */
export function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let mutant = Uint8Array.from(bytes);
  for (let faults = 1 + random(4); faults > 0 && mutant.length > 1; faults--) {
    const at = random(mutant.length);
    const length = 1 + random(Math.min(64, mutant.length - at));
    switch (random(6)) {
      case 0:
        mutant[at] = (mutant[at] as number) ^ (1 << random(8));
        break;
      case 1:
        mutant[at] = random(256);
        break;
      case 2:
        mutant.fill(random(2) * 255, at, at + length);
        break;
      case 3:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + length)]);
        break;
      case 4:
        mutant = Buffer.concat([mutant.subarray(0, at + length), mutant.subarray(at)]);
        break;
      default:
        mutant = mutant.slice(0, Math.max(1, at));
    }
  }
  return mutant;
}
