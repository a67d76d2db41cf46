import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { mergeHistories } from './clock-policy.ts';

/** Of a file that holds more, nothing is read. A hundred trials take 10 KB, an evaluation 1 KB. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/**
 * Keeps people from editing their records by hand, and programs from taking damage for content. It
 * is no secret from a reader of this source, which no program that works offline can keep.
 */
const SEAL_KEY = createSecretKey('edge-infer licence records v1', 'utf8');

const milliseconds = z.number().min(0);

const historySchema = z.object({
  markMs: milliseconds,
  ranMs: milliseconds,
  settledRanMs: milliseconds,
});

const evaluationSchema = z.object({
  id: z.string(),
  /** 1 for the first issued in these records, and so on. */
  order: z.int().min(1),
  salt: z.string(),
  /** Kind and salted hash of what this host had. */
  components: z.array(z.object({ k: z.string(), h: z.string() })),
  /** When its days began, by the clock; 0: no clock could tell yet. */
  beganMs: milliseconds,
  /** How often that was found: the last finding counts. */
  datings: z.int().min(0),
  history: historySchema,
});

const contentSchema = z.object({
  /** The signed trials of this host, by licence id. */
  trials: z.record(z.string(), historySchema),
  evaluations: z.array(evaluationSchema),
  /** Ids of the licences that this host gave up, sorted. */
  released: z.array(z.string()),
});

/** A trial that this host issued itself. */
export type Evaluation = Readonly<z.infer<typeof evaluationSchema>>;

/**
 * What a host remembers of its licences. Contents only grow: any two are merged into one that knows
 * what both know (`mergeContents`), so neither an old copy put back nor a second process at work
 * ever takes anything away.
 */
export type RecordContent = Readonly<z.infer<typeof contentSchema>>;

export const emptyContent: RecordContent = { trials: {}, evaluations: [], released: [] };

/** Commutative, associative and idempotent: the order of reading and repetitions do not matter. */
export function mergeContents(a: RecordContent, b: RecordContent): RecordContent {
  if (a === b) return a;
  const trials = { ...a.trials };
  for (const [id, history] of Object.entries(b.trials)) {
    const known = trials[id];
    trials[id] = known === undefined ? history : mergeHistories(known, history);
  }
  return {
    trials,
    evaluations: mergeEvaluations(a.evaluations, b.evaluations),
    released: b.released.length === 0 ? a.released : mergeIds(a.released, b.released),
  };
}

/** The text of a record: its content and a seal over it, a line each. */
export function sealContent(content: RecordContent): string {
  const line = JSON.stringify(content);
  return `${line}\n${computeSeal(line)}\n`;
}

/** Checks the seal before anything else; the error says what is wrong. */
export function unsealContent(text: string): Result<RecordContent, string> {
  const [line = '', seal = '', ...rest] = text.split('\n');
  const expected = Buffer.from(computeSeal(line));
  const found = Buffer.from(seal);
  const isSealed = expected.length === found.length && timingSafeEqual(expected, found);
  if (!isSealed || rest.length !== 1 || rest[0] !== '') {
    return err('it is damaged or was edited');
  }
  const parsed = contentSchema.safeParse(JSON.parse(line));
  return parsed.success ? ok(parsed.data) : err('it was written by another release');
}

function mergeIds(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

function mergeEvaluations(a: Evaluation[], b: Evaluation[]): Evaluation[] {
  if (b.length === 0) return a;
  const merged = new Map(a.map((evaluation) => [evaluation.id, evaluation]));
  for (const evaluation of b) {
    const known = merged.get(evaluation.id);
    merged.set(evaluation.id, known === undefined ? evaluation : mergeTwo(known, evaluation));
  }
  // None is ever left out: its host would begin another.
  return [...merged.values()].sort((x, y) => y.order - x.order || (x.id < y.id ? -1 : 1));
}

/** Two states of the same evaluation. Of two dates found at once the earlier counts. */
function mergeTwo(a: Evaluation, b: Evaluation): Evaluation {
  const isDatedByA = a.datings > b.datings || (a.datings === b.datings && a.beganMs <= b.beganMs);
  const { beganMs, datings } = isDatedByA ? a : b;
  return { ...a, beganMs, datings, history: mergeHistories(a.history, b.history) };
}

function computeSeal(line: string): string {
  return createHmac('sha256', SEAL_KEY).update(line, 'utf8').digest('base64url');
}
