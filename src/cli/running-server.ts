import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import { err, ok, type Result } from '../core/result.ts';
import { requestLocally } from './local-request.ts';
import { reachableHost } from './reachable-host.ts';
import { readListenAddress } from './units/listen-address.ts';
import { ADMIN_SOCKET, SERVICE_UNIT, type Unit, type UnitName } from './units/units.ts';

export type Address = Config['admin'];

const serviceSchema = z.object({
  deployName: z.string(),
  state: z.string(),
  problems: z.array(z.string()).default([]),
  /** Its state is of `licenseStates`, unless the server is of another release. */
  license: z.object({
    state: z.string(),
    detail: z.string(),
    remedy: z.string().default(''),
    daysLeft: z.number().exactOptional(),
  }),
  device: z.enum(['cpu', 'cuda']).exactOptional(),
  deviceReason: z.string().default(''),
  imaging: z.string().exactOptional(),
  imagingReason: z.string().default(''),
  model: z.string().exactOptional(),
  modelVersion: z.string().exactOptional(),
  variant: z.string().exactOptional(),
});

const reportSchema = z.object({
  status: z.string(),
  version: z.string(),
  uptimeS: z.number(),
  licenseFolder: z.string(),
  configuration: z.object({
    takenAt: z.string(),
    refusedAt: z.string().exactOptional(),
    problems: z.array(z.string()),
  }),
  services: z.array(serviceSchema),
});

/** What a running server tells of itself: `/readyz` of its admin address. */
export type ServerReport = z.infer<typeof reportSchema>;
export type ReportedService = ServerReport['services'][number];

/** It is on this host and answers from memory. */
const TIMEOUT_MS = 3_000;

/** Asks the server on an admin address; the error is a sentence's end. */
export async function askRunningServer(
  address: Address,
  timeoutMs = TIMEOUT_MS,
): Promise<Result<ServerReport, string>> {
  const answer = await askAt(address, '/readyz', timeoutMs);
  if (!answer.ok) {
    return answer;
  }
  try {
    const report = reportSchema.safeParse(JSON.parse(answer.value));
    return report.success ? ok(report.data) : err('another program or release answers there');
  } catch {
    return err('another program answers there');
  }
}

/** A GET on this host, whichever address the server was given. */
export async function askAt(
  { host, port }: Address,
  path: string,
  timeoutMs = TIMEOUT_MS,
): Promise<Result<string, string>> {
  if (port === 0) {
    return err('the configuration lets the system choose its port');
  }
  const answer = await requestLocally({ host: reachableHost(host), port, path, timeoutMs });
  return answer.ok ? ok(answer.value.text) : answer;
}

type FindUnit = (name: UnitName) => Unit | undefined;

/** Where the server is asked: a socket unit has the last word, where there is one. */
export function findAdminAddress(unit: FindUnit, configured: Address): Address {
  return readListenAddress(unit(ADMIN_SOCKET)) ?? configured;
}

const runningStates = ['active', 'activating', 'reloading'];

/**
 * Whether systemd holds a socket open while the server does not run: a connection would start a
 * service that somebody has stopped.
 */
export function isHeldForStopped(unit: FindUnit, socket: UnitName = ADMIN_SOCKET): boolean {
  const state = unit(SERVICE_UNIT)?.get('ActiveState') ?? '';
  return unit(socket)?.get('ActiveState') === 'active' && !runningStates.includes(state);
}
