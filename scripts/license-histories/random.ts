import { createRandom } from '../../test/support/mutate.ts';

/** Seeded choices, so that every history can be told by its number. */
export interface Random {
  /** 0 to below 1. */
  fraction(): number;
  /** Between two numbers, small ones as likely as large ones in each power of ten. */
  spread(least: number, most: number): number;
  between(least: number, most: number): number;
  /** A whole number from 0 to below `count`. */
  index(count: number): number;
  chance(probability: number): boolean;
}

export function createSeededRandom(seed: number): Random {
  const next = createRandom(Math.imul(seed + 1, 0x9e3779b1));
  const fraction = () => next(2 ** 30) / 2 ** 30;
  return {
    fraction,
    between: (least, most) => least + fraction() * (most - least),
    spread: (least, most) => least * (most / least) ** fraction(),
    index: (count) => next(count),
    chance: (probability) => fraction() < probability,
  };
}
