import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import { type LicenseState, licenseStates } from '../licensing/states.ts';
import { reachableHost } from './reachable-host.ts';

/** It is on this host and answers from memory. */
const PATIENCE_MS = 1_000;
/** A service takes 1 KB or 2; something else may be listening there. */
const MAX_BYTES = 1024 ** 2;

const states = Object.keys(licenseStates) as [LicenseState, ...LicenseState[]];

const reportSchema = z.object({
  licenseFolder: z.string(),
  services: z.array(
    z.object({
      deployName: z.string(),
      device: z.enum(['cpu', 'cuda']).exactOptional(),
      license: z.object({
        state: z.enum(states),
        detail: z.string(),
        remedy: z.string().default(''),
        daysLeft: z.number().exactOptional(),
      }),
    }),
  ),
});

/** What a running server tells of its services, on its admin address. */
export type ServerReport = z.infer<typeof reportSchema>;

/** Where the server of a configuration can be asked, or undefined where only itself knows. */
export function findAdminAddress({ admin }: Config): string | undefined {
  return admin.port === 0 ? undefined : `http://${reachableHost(admin.host)}:${admin.port}`;
}

/** Asks a server; undefined where none of this release answers in time. Never fails. */
export async function askRunningServer(address: string): Promise<ServerReport | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // An agent of its own: no proxy of this user's environment lies between.
    const request = get(`${address}/readyz`, { agent: false, signal });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const report = reportSchema.safeParse(JSON.parse(await readText(response)));
    return report.success ? report.data : undefined;
  } catch {
    return undefined; // that nobody answers is the usual case
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > MAX_BYTES) throw new Error(`found more than ${MAX_BYTES} bytes`);
  }
  return text;
}
