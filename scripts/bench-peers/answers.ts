import { type ClassScore, type Peer, WIRE_PATH } from './peer.ts';

/** Largest difference of a score that counts as the same answer. */
export const SCORE_TOLERANCE = 1e-3;

export interface Agreement {
  readonly sameFirstClass: boolean;
  /** Of a class that the reference names; 1 when the answer leaves one out that it should have. */
  readonly largestDifference: number;
}

/** Compares an answer with the reference: the same number of classes, best first. */
export function compareAnswers(
  reference: readonly ClassScore[],
  results: readonly ClassScore[],
): Agreement {
  const scores = new Map(results.map(({ name, score }) => [name, score]));
  // The last of the named classes may change places with one that is not named.
  const lowest = Math.min(...results.map(({ score }) => score));
  const differences = reference.map(({ name, score }) =>
    Math.abs(score - (scores.get(name) ?? lowest)),
  );
  return {
    sameFirstClass: reference[0]?.name === results[0]?.name,
    largestDifference: results.length === reference.length ? Math.max(...differences) : 1,
  };
}

/** The classes of a peer's answer. */
export function readResults(peer: Peer, answer: string): ClassScore[] {
  const parsed: unknown = JSON.parse(answer);
  const results = peer.readResults?.(parsed) ?? (parsed as { results?: ClassScore[] }).results;
  if (results === undefined) {
    throw new Error(`an answer without results: ${answer.slice(0, 200)}`);
  }
  return results;
}

/** What is wrong with an answer, or nothing. */
export function findFault(
  peer: Peer,
  reference: readonly ClassScore[],
  answer: string,
): string | undefined {
  const results = readResults(peer, answer);
  const { sameFirstClass, largestDifference } = compareAnswers(reference, results);
  if (
    peer.inexactBecause !== undefined ||
    (sameFirstClass && largestDifference <= SCORE_TOLERANCE)
  ) {
    return undefined;
  }
  const show = ([best]: readonly ClassScore[]) => `${best?.name} ${best?.score.toFixed(4)}`;
  return `it answers ${show(results)} instead of ${show(reference)} (largest difference ${largestDifference.toFixed(4)})`;
}

/** Where a peer listening on `port` takes requests. */
export function addressOf(peer: Peer, port: number): string {
  return `http://127.0.0.1:${port}${peer.path ?? WIRE_PATH}`;
}
