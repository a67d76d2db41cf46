import { randomBytes } from 'node:crypto';

const LOWEST_START = 10n ** 18n; // the first number of 19 digits
const HIGHEST_START = 9n * 10n ** 18n; // below 2^63 = 9.22e18 by more than a process can count

/**
 * Returns a generator of `log_id`s: positive, below 2^63, 19 digits, counting up from a random
 * start. Counting makes them unique within the process whatever the clock does; a start drawn
 * from 8e18 numbers keeps two processes of one host apart.
 */
export function createLogIdSource(): () => bigint {
  let next = LOWEST_START + (randomBytes(8).readBigUInt64BE() % (HIGHEST_START - LOWEST_START));
  return () => next++;
}
