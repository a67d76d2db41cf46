import { type Fault, wireErrors } from '../core/errors.ts';
import type { Ranking } from '../inference/protocol.ts';

export type ErrorDetail = 'full' | 'code';

/**
 * A class name as JSON for the wire. Clients tell an error by the text `error_code` anywhere in
 * the answer, so a name that holds it is written with an escape.
 */
export function encodeClassName(name: string): string {
  return JSON.stringify(name).replaceAll('error_code', 'error\\u005fcode');
}

/**
 * The answer to a classified image: compact JSON, because one client cuts it up by `"name":"`;
 * `log_id` a bare integer; scores printed as the doubles that their float32 values are.
 */
export function encodeSuccess(
  logId: bigint,
  ranking: Ranking,
  encodedNames: readonly string[],
): string {
  const results = ranking.classIndexes.map(
    (classIndex, place) =>
      `{"name":${encodedNames[classIndex]},"score":${JSON.stringify(ranking.scores[place])}}`,
  );
  return `{"log_id":${logId},"results":[${results.join(',')}]}`;
}

/** The answer to a refused request: code, text, `log_id`, in this order, then the detail. */
export function encodeFault(logId: bigint, fault: Fault, errorDetail: ErrorDetail): string {
  const { wireCode, wireMessage } = wireErrors[fault.code];
  const detail = errorDetail === 'full' ? `,"error_detail":${JSON.stringify(fault.detail)}` : '';
  return `{"error_code":${wireCode},"error_msg":${JSON.stringify(wireMessage)},"log_id":${logId}${detail}}`;
}
