import { z } from 'zod';

/** What a check of several keys reports: the second key is named when the first was not set. */
interface CrossCheckReport {
  readonly expected: string;
  readonly found: unknown;
  readonly relatedPath: readonly (string | number)[];
}

interface Listener {
  readonly host: string;
  readonly port: number;
}

const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Two listeners on one port fail only when the server starts, so this says it earlier. */
export const checkPorts = z.superRefine<Listener & { readonly admin: Listener }>(
  ({ host, port, admin }, context) => {
    const sameHost =
      host === admin.host || EVERY_ADDRESS.has(host) || EVERY_ADDRESS.has(admin.host);
    if (sameHost && port === admin.port && port !== 0) {
      report(context, ['admin', 'port'], {
        expected: `a port other than that of requests (\`port\` is ${port} on the same address), or 0`,
        found: admin.port,
        relatedPath: ['port'],
      });
    }
  },
  { when: whenValid('host', 'port', 'admin.host', 'admin.port') },
);

/** Node refuses a server whose headers may take longer than the whole request. */
export const checkTimeouts = z.superRefine<{
  readonly http: { readonly headersTimeoutMs: number; readonly requestTimeoutMs: number };
}>(
  ({ http }, context) => {
    if (http.requestTimeoutMs < http.headersTimeoutMs) {
      report(context, ['http', 'requestTimeoutMs'], {
        expected: `at least \`http.headersTimeoutMs\` (${http.headersTimeoutMs})`,
        found: http.requestTimeoutMs,
        relatedPath: ['http', 'headersTimeoutMs'],
      });
    }
  },
  { when: whenValid('http.headersTimeoutMs', 'http.requestTimeoutMs') },
);

/** Runs although a service may hold other mistakes, so it trusts no entry's type. */
export const checkServiceNames = z.superRefine<{ readonly services: readonly unknown[] }>(
  ({ services }, context) => {
    const firstByName = new Map<string, number>();
    for (const [index, service] of services.entries()) {
      const name = deployNameOf(service);
      // Clients may send a letter with its accent composed or apart; both must mean one service.
      const key = name?.normalize('NFC');
      const first = key === undefined ? undefined : firstByName.get(key);
      if (first !== undefined) {
        report(context, ['services', index, 'deployName'], {
          expected: `a name of its own (services[${first}] has this one)`,
          found: name,
          relatedPath: ['services', first, 'deployName'],
        });
      } else if (key !== undefined) {
        firstByName.set(key, index);
      }
    }
  },
  { when: whenValid('services') },
);

function deployNameOf(service: unknown): string | undefined {
  if (typeof service !== 'object' || service === null || !('deployName' in service)) {
    return undefined;
  }
  return typeof service.deployName === 'string' ? service.deployName : undefined;
}

function report(
  context: z.core.$RefinementCtx,
  path: PropertyKey[],
  params: CrossCheckReport,
): void {
  context.addIssue({ code: 'custom', path, params: { ...params } });
}

/** zod skips such checks after any mistake; these run unless their own keys hold one. */
function whenValid(...keys: readonly string[]) {
  return (payload: z.core.ParsePayload): boolean =>
    !payload.issues.some((issue) => {
      const path = (issue.path ?? []).join('.');
      const isOfAnAncestor = (key: string) => path === '' || key.startsWith(`${path}.`);
      return keys.some(
        (key) => key === path || (issue.code === 'invalid_type' && isOfAnAncestor(key)),
      );
    });
}
