import {
  emptyContent,
  mergeContents,
  type RecordContent,
  sealContent,
  unsealContent,
} from './record-content.ts';
import type { RecordPlace, RecordText } from './record-file.ts';

export interface RecordProblem {
  readonly path: string;
  /** What is wrong, and what to do about it. */
  readonly detail: string;
}

/** What a host remembers of its licences, in memory and in two places. */
export interface Records {
  /** Everything known, whether or not it could be written. */
  readonly content: RecordContent;
  /** What was wrong with each place when it was last read or written. None: both are sound. */
  readonly problems: readonly RecordProblem[];
  /** Remembers something more. Nothing is written yet. */
  add(learned: Partial<RecordContent>): void;
  /**
   * Writes everything known to each place, together with what others have written there. Never
   * fails: where a place cannot be written the trial goes on from memory and the other place, and
   * `problems` says so.
   */
  save(): Promise<void>;
}

/** Reads every place and merges what they hold. Damaged or missing copies count for nothing. */
export async function openRecords(places: readonly RecordPlace[]): Promise<Records> {
  let content = emptyContent;
  let problems: RecordProblem[] = [];
  let saving = Promise.resolve();

  for (const place of places) {
    const found = unseal(await place.read());
    content = mergeContents(content, found.content);
    if (found.damage !== undefined) {
      problems.push({ path: place.path, detail: found.damage });
    }
  }

  function add(learned: Partial<RecordContent>): void {
    content = mergeContents(content, { ...emptyContent, ...learned });
  }

  /** One place after the other: at no time is a copy touched while the other is not sound. */
  async function writePlaces(): Promise<void> {
    const found: RecordProblem[] = [];
    for (const { path, revise } of places) {
      const revised = await revise((present) => {
        const { content: theirs, damage } = unseal(present);
        add(theirs);
        return { text: sealContent(content), replacesDamage: damage !== undefined };
      });
      if (!revised.ok) {
        found.push({ path, detail: revised.error.detail });
        if (revised.error.wasTouched) {
          break;
        }
      }
    }
    problems = found;
  }

  return {
    get content() {
      return content;
    },
    get problems() {
      return problems;
    },
    add,
    save() {
      saving = saving.then(writePlaces);
      return saving;
    },
  };
}

function unseal(text: RecordText): { content: RecordContent; damage?: string } {
  if (!text.ok) {
    const { isMissing, detail } = text.error;
    return isMissing ? { content: emptyContent } : { content: emptyContent, damage: detail };
  }
  const unsealed = unsealContent(text.value);
  return unsealed.ok
    ? { content: unsealed.value }
    : { content: emptyContent, damage: unsealed.error };
}
