import {
  composeGpuFingerprint,
  composeHostFingerprint,
  offerHardware,
} from '../../../src/licensing/compose.ts';
import { type MatchFailure, matchFingerprint } from '../../../src/licensing/match.ts';
import { readRecordedHost } from '../recorded-host.ts';
import type { Host } from './changes.ts';

export type Expected =
  | 'passes'
  /** Passes with `HARDWARE_DRIFT`. */
  | 'drifts'
  | MatchFailure
  /** No such licence is issued: the request would not tell the host from others. */
  | 'not issued';

export interface MatrixRow {
  readonly event: string;
  readonly issuedFor: Host;
  readonly checkedOn: Host;
  readonly tier?: 'gpu';
  readonly allowsContainer?: true;
  readonly expected: Expected;
  /** What matches, of what there was at issue, and what is needed. */
  readonly score: string;
}

export interface MatrixResult {
  readonly event: string;
  readonly score: string;
  readonly expected: Expected;
  readonly got: Expected;
  readonly gotScore: string;
}

const SALT = Buffer.from('sixteen bytes ..').toString('base64url');

/** Issues a licence for one recorded host and holds another against it. */
export async function playRow(row: MatrixRow): Promise<MatrixResult> {
  const { event, score, expected } = row;
  const offered = offerHardware(await read(row.issuedFor), SALT);
  const fingerprint =
    row.tier === 'gpu'
      ? composeGpuFingerprint(offered, 0)
      : composeHostFingerprint(offered, { strict: true });
  if (!fingerprint.ok) return { event, score, expected, got: 'not issued', gotScore: '-' };
  const match = matchFingerprint(fingerprint.value, await read(row.checkedOn), {
    allowsContainer: row.allowsContainer ?? false,
  });
  const passed = match.drift ? 'drifts' : 'passes';
  return {
    event,
    score,
    expected,
    got: match.ok ? passed : (match.failure ?? 'passes'),
    gotScore: `${match.score} of ${match.of}, needs ${match.need}`,
  };
}

const read = (host: Host) =>
  typeof host === 'string' ? readRecordedHost(host) : readRecordedHost(...host);

export function row(
  event: string,
  issuedFor: Host,
  checkedOn: Host,
  expected: Expected,
  score: string,
  container?: 'allow',
): MatrixRow {
  const allowance = container === undefined ? {} : ({ allowsContainer: true } as const);
  return { event, issuedFor, checkedOn, expected, score, ...allowance };
}
