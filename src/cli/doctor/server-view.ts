import type { Config } from '../../config/schema.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { requestLocally } from '../local-request.ts';

/** What the admin address's `/readyz` tells of a running server. */
export interface ServerView {
  readonly status: string;
  readonly version: string;
  readonly uptimeS: number;
  readonly services: readonly ServiceView[];
}

interface ServiceView {
  readonly deployName: string;
  readonly state: string;
  readonly problems?: readonly string[];
  readonly license: {
    readonly state: string;
    readonly detail?: string;
    readonly remedy?: string;
    readonly daysLeft?: number;
  };
  readonly device?: string;
  readonly deviceReason?: string;
  readonly imaging?: string;
  readonly imagingReason?: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly variant?: string;
  readonly weights?: string;
  readonly workers?: number;
}

const TIMEOUT_MS = 3_000;

/** Asks the server on the admin address; the error is a sentence's end. */
export async function viewServer(address: Config['admin']): Promise<Result<ServerView, string>> {
  if (address.port === 0) {
    return err('the configuration lets the system choose its port');
  }
  const answer = await askAt(address, '/readyz');
  if (!answer.ok) {
    return answer;
  }
  try {
    const view = JSON.parse(answer.value) as Partial<ServerView>;
    return view.version !== undefined && Array.isArray(view.services)
      ? ok(view as ServerView)
      : err('another program answers there');
  } catch {
    return err('another program answers there');
  }
}

/** A GET on this host, whichever address the server was given. */
export async function askAt(
  { host, port }: Config['admin'],
  path: string,
): Promise<Result<string, string>> {
  const options = { host: reachableHost(host), port, path, timeoutMs: TIMEOUT_MS };
  const answer = await requestLocally(options);
  return answer.ok ? ok(answer.value.text) : answer;
}

/** Where a server is reached from its own host. */
function reachableHost(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}
