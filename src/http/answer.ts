import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
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

/** Writes a JSON answer whole, past Koa's own responder, which would look at the body again. */
export function answerJson(context: Context, json: string, options: AnswerOptions = {}): void {
  context.respond = false;
  writeJson(context.req, context.res, json, options);
}

/** Answers a refused request; `semanticStatus` where it is not the one of the fault's code. */
export function answerFault(
  context: Context,
  logId: bigint,
  fault: Fault,
  options: FaultOptions,
  semanticStatus: number = wireErrors[fault.code].semanticStatus,
): void {
  const { code, retryAfterS } = fault;
  const isHttpError = code === 'NO_SUCH_API' || options.statusCodes === 'semantic';
  answerJson(context, encodeFault(logId, fault, options.errorDetail), {
    status: isHttpError ? semanticStatus : 200,
    headers: {
      ...(retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) }),
      ...(semanticStatus === 405 ? { Allow: 'POST' } : {}),
    },
    // A body that is too long is not waited for; any other is read to its end and forgotten.
    closesConnection:
      !context.req.complete && (code === 'SIZE_OUT_OF_RANGE' || announcesTooMuch(context.req)),
  });
}

/** Writes a JSON answer whole, so that it can be read even where the connection is then closed. */
export function writeJson(
  request: IncomingMessage,
  response: ServerResponse,
  json: string,
  { status = 200, headers = {}, closesConnection = false }: AnswerOptions,
): void {
  if (response.headersSent || response.destroyed) {
    return;
  }
  const body = Buffer.from(json, 'utf8');
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
  if (closesConnection) {
    response.setHeader('Connection', 'close');
  }
  if (request.complete || !willClose(response)) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  // Only once it is written: pipelined requests before this one may still wait for their answers.
  response.write(body, () => closeGently(request.socket));
  request.once('end', () => response.end());
  request.resume();
}

/** Whether the connection ends with this answer: by our wish, or by the caller's. */
function willClose(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader('Connection') === 'close';
}
