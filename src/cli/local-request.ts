import { Agent, type ClientRequest, request as requestHttp } from 'node:http';
import { err, ok, type Result } from '../core/result.ts';

export interface LocalRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Sent by POST as JSON; without one it is a GET. */
  readonly body?: string;
  /** For all of it, from connecting to the last byte. */
  readonly timeoutMs: number;
}

export interface LocalAnswer {
  readonly status: number;
  readonly text: string;
}

/** More than any answer of a server of ours. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Asks a server on this host. Not with `fetch`, which the environment can send through a proxy.
 * The error is a sentence's end, such as "nothing listens there".
 */
export function requestLocally(options: LocalRequest): Promise<Result<LocalAnswer, string>> {
  const { host, port, path, body, timeoutMs } = options;
  return new Promise((resolve) => {
    const sent = requestHttp({
      host,
      port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      agent: new Agent({ keepAlive: false }), // the global one may be a proxy's
    });
    const timer = setTimeout(
      () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const finish = (result: Result<LocalAnswer, string>) => {
      clearTimeout(timer);
      resolve(result);
    };
    sent.on('error', (error) => finish(err(describeError(error))));
    collectAnswer(sent, (answer) => finish(ok(answer)));
    sent.end(body);
  });
}

function collectAnswer(sent: ClientRequest, onWhole: (answer: LocalAnswer) => void): void {
  sent.on('response', (response) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    response.on('data', (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes > MAX_ANSWER_BYTES) {
        sent.destroy(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
      }
    });
    response.on('error', (error) => sent.destroy(error));
    response.on('end', () => {
      onWhole({
        status: response.statusCode ?? 0,
        text: Buffer.concat(pieces).toString('utf8'),
      });
    });
  });
}

function describeError(error: NodeJS.ErrnoException): string {
  switch (error.code ?? '') {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was closed before the answer';
    default:
      return error.message;
  }
}
