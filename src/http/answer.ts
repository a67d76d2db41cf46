import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';

const JSON_TYPE = 'application/json; charset=utf-8';

/** How long a caller may go on sending what is thrown away, in ms. */
const MAX_DISCARD_MS = 30_000;

export interface AnswerOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection once the caller has the answer. */
  readonly closesConnection?: boolean;
}

/** Writes a JSON answer whole, past Koa's own responder, which would look at the body again. */
export function answerJson(context: Context, json: string, options: AnswerOptions = {}): void {
  context.respond = false;
  const { res: response, req: request } = context;
  if (response.headersSent || response.destroyed) {
    return;
  }
  const body = Buffer.from(json, 'utf8');
  response.statusCode = options.status ?? 200;
  response.setHeader('Content-Type', JSON_TYPE);
  response.setHeader('Content-Length', body.length);
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    response.setHeader(name, value);
  }
  if (options.closesConnection === true) {
    response.setHeader('Connection', 'close');
  }
  if (request.method === 'HEAD') {
    response.end();
  } else if (options.closesConnection === true && !request.complete) {
    response.write(body);
    endWhenSent(response, context);
  } else {
    response.end(body);
  }
}

/**
 * Closing a connection with unread bytes makes the kernel reset it, and a reset destroys an answer
 * that the caller has not read yet. So what still comes is read and thrown away first.
 */
function endWhenSent(response: ServerResponse, { req: request }: Context): void {
  const timer = setTimeout(() => response.destroy(), MAX_DISCARD_MS);
  response.on('close', () => clearTimeout(timer));
  request.on('end', () => response.end());
  request.resume();
}
