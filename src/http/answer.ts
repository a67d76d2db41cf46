import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, wireErrors } from '../core/errors.ts';
import { announcesTooMuch } from './body.ts';
import { type ErrorDetail, encodeFault } from './envelope.ts';
import { closeGently } from './linger.ts';

export interface FaultOptions {
  readonly statusCodes: 'compatible' | 'semantic';
  readonly errorDetail: ErrorDetail;
}

export interface AnswerOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection once the caller has the answer. */
  readonly closesConnection?: boolean;
}

/** A request and the response to it; what Koa calls a context has both. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Answers a refused request; `semanticStatus` where it is not the one of the fault's code. */
export function answerFault(
  exchange: Exchange,
  logId: bigint,
  fault: Fault,
  options: FaultOptions,
  semanticStatus: number = wireErrors[fault.code].semanticStatus,
): void {
  const { code, retryAfterS } = fault;
  const { req } = exchange;
  const isHttpError = code === 'NO_SUCH_API' || options.statusCodes === 'semantic';
  answerJson(exchange, encodeFault(logId, fault, options.errorDetail), {
    status: isHttpError ? semanticStatus : 200,
    headers: {
      ...(retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) }),
      ...(semanticStatus === 405 ? { Allow: 'POST' } : {}),
    },
    // A body that is too long is not waited for; any other is read to its end and forgotten.
    closesConnection: !req.complete && (code === 'SIZE_OUT_OF_RANGE' || announcesTooMuch(req)),
  });
}

/** Writes a JSON answer whole, so that it can be read even where the connection is then closed. */
export function answerJson(
  { req: request, res: response }: Exchange,
  json: string,
  { status = 200, headers = {}, closesConnection = false }: AnswerOptions = {},
): void {
  if (response.headersSent || response.destroyed) {
    return;
  }
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(json));
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
  if (closesConnection) {
    response.setHeader('Connection', 'close');
  }
  if (request.complete || !willClose(response)) {
    response.end(json); // as text it goes out with its headers, in one piece
    return;
  }
  response.flushHeaders();
  // Only once it is written: pipelined requests before this one may still wait for their answers.
  response.write(json, () => closeGently(request.socket));
  request.once('end', () => response.end());
  request.resume();
}

/** Whether the connection ends with this answer: by our wish, or by the caller's. */
function willClose(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader('Connection') === 'close';
}
