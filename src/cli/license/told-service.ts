import { setTimeout as delay } from 'node:timers/promises';
import type { InspectedDecision } from '../../licensing/inspection.ts';
import type { LicenseState } from '../../licensing/states.ts';
import { isServed, type LicenseDecision, leftDays } from '../../licensing/verdict.ts';
import type { ServerReport } from '../running-server.ts';
import { findReport, type LocalInspection, type LocalLicenses } from './local-licenses.ts';

/** What `license status` tells of a service: what its callers are answered by. */
export interface ToldService {
  readonly decision: InspectedDecision;
  readonly daysLeft: number | undefined;
  /** What lies here says something else than the running server, whose word counts. */
  readonly foundHere?: LicenseDecision;
}

/** A server takes changes up within two seconds; until then it is no news that it differs. */
const TAKES_UP_MS = 2_500;
const ASK_AGAIN_MS = 250;

/** Asks the running server again where it differs from what lies here, which may just be new. */
export async function awaitServerWord(
  { decisions, server: first }: LocalInspection,
  askServer: LocalLicenses['askServer'],
): Promise<ServerReport | undefined> {
  const startMs = performance.now();
  let server = first;
  while (
    decisions.some((decision) => differs(decision, server)) &&
    performance.now() - startMs < TAKES_UP_MS
  ) {
    await delay(ASK_AGAIN_MS);
    server = await askServer();
  }
  return server;
}

/** What the server says of a service, where it has decided; else what lies here says. */
export function tellService(
  decision: InspectedDecision,
  server: ServerReport | undefined,
): ToldService {
  const { deployName } = decision;
  const word = findReport(server, deployName)?.license;
  if (word === undefined || !differs(decision, server)) {
    return { decision, daysLeft: leftDays(decision) };
  }
  const { detail, remedy, daysLeft } = word;
  const state = word.state as LicenseState; // others are passed over when it is asked
  return {
    decision: { deployName, state, detail, remedy, others: [] },
    daysLeft,
    foundHere: decision,
  };
}

export function isToldServed({ decision }: ToldService): boolean {
  return isServed(decision);
}

function differs({ deployName, state }: LicenseDecision, server: ServerReport | undefined) {
  const word = findReport(server, deployName)?.license;
  return word !== undefined && word.state !== state;
}
