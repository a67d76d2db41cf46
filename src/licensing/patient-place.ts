import { err } from '../core/result.ts';
import { within } from '../core/within.ts';
import type { RecordPlace } from './record-file.ts';

const DETAIL = 'does not answer; see to its disk or network share';

/** Longer than a read takes, and than a writer waits for others that write there. */
const PATIENCE = { readMs: 5_000, reviseMs: 15_000 };

/**
 * A place that is given up where it does not answer, as a network share that hangs, so that it
 * holds up none of the others. What was begun there goes on, and until it has ended nothing more
 * is asked of it.
 */
export function withPatience(place: RecordPlace, patience = PATIENCE): RecordPlace {
  let pending: Promise<unknown> | undefined;

  async function attempt<T>(ms: number, begin: () => Promise<T>): Promise<T | undefined> {
    if (pending !== undefined) {
      return undefined;
    }
    const answer = begin().finally(() => {
      pending = undefined;
    });
    pending = answer;
    return await within(ms, answer);
  }

  return {
    ...place,
    read: async () =>
      (await attempt(patience.readMs, () => place.read())) ??
      err({ isMissing: false, isUnread: true, detail: DETAIL }),
    revise: async (revise) =>
      (await attempt(patience.reviseMs, () => place.revise(revise))) ??
      err({ wasTouched: false, detail: DETAIL }),
  };
}
