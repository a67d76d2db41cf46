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

type Propose = (known: RecordContent) => Partial<RecordContent> | undefined;

/** What a host remembers of its licences, in memory and in several places. */
export interface Records {
  /** Everything known, whether or not it could be written. */
  readonly content: RecordContent;
  /** What was wrong with each place when it was last read or written. None: both are sound. */
  readonly problems: readonly RecordProblem[];
  /** Remembers something more. Nothing is written yet. */
  add(learned: Partial<RecordContent>): void;
  /**
   * Remembers what `propose` finds to add to everything known, only where a place takes it. It is
   * asked while nobody else writes there, so of several processes the first one's proposal lasts
   * and the others find it. Writes each place as `save` does.
   */
  addLasting(propose: Propose): Promise<void>;
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
  /** Texts that `content` has in it: what nobody else has touched need not be parsed again. */
  let known = new Set<string>();
  let saving = Promise.resolve();

  function add(learned: Partial<RecordContent>): void {
    content = withMore(content, learned);
  }

  /** Adds what a place holds; returns what is wrong with it. */
  function learn(text: RecordText): string | undefined {
    if (!text.ok) return text.error.isMissing ? undefined : text.error.detail;
    if (known.has(text.value)) return undefined;
    const unsealed = unsealContent(text.value);
    if (!unsealed.ok) return unsealed.error;
    add(unsealed.value);
    known.add(text.value);
    return undefined;
  }

  /** One place after the other: at no time is a copy touched while the other is not sound. */
  async function writePlaces(propose?: Propose): Promise<void> {
    const found: RecordProblem[] = [];
    const written = new Set<string>();
    let sealed = { content, text: '' };
    for (const { path, isOptional, revise } of places) {
      let more: ReturnType<Propose>;
      const revised = await revise((present) => {
        const damage = learn(present);
        more = propose?.(content);
        const all = more === undefined ? content : withMore(content, more);
        if (sealed.text === '' || sealed.content !== all) {
          sealed = { content: all, text: sealContent(all) };
        }
        return { text: sealed.text, replacesDamage: damage !== undefined };
      });
      if (revised.ok) {
        if (more !== undefined) add(more);
        written.add(sealed.text);
      } else {
        if (isOptional !== true) found.push({ path, detail: revised.error.detail });
        if (revised.error.wasTouched) break;
      }
    }
    known = written;
    problems = found;
  }

  /** In the order in which it was asked for. */
  function write(propose?: Propose): Promise<void> {
    saving = saving
      .then(() => writePlaces(propose))
      .catch((error: unknown) => {
        problems = places.map(({ path }) => ({ path, detail: `not written (${String(error)})` }));
      });
    return saving;
  }

  for (const place of places) {
    const detail = learn(await place.read());
    if (detail !== undefined && place.isOptional !== true)
      problems.push({ path: place.path, detail });
  }

  return {
    get content() {
      return content;
    },
    get problems() {
      return problems;
    },
    add,
    addLasting: write,
    save: () => write(),
  };
}

function withMore(content: RecordContent, more: Partial<RecordContent>): RecordContent {
  return mergeContents(content, { ...emptyContent, ...more });
}
