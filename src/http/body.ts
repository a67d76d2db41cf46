import type { IncomingMessage } from 'node:http';
import { type Fault, fault } from '../core/errors.ts';
import { freeMemory } from '../core/free-memory.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Ticket } from '../inference/admission.ts';

/**
 * The longest body read: base64 of 4 MiB may nearly double in escapes and line breaks, and other
 * fields need some room.
 */
const MAX_BODY_BYTES = 8 * 1024 * 1024 + 64 * 1024;

/** Memory taken before any byte has come, whatever length was announced. */
const MAX_INITIAL_BYTES = 1024 * 1024;

export interface ReceivedBody {
  readonly memory: SharedArrayBuffer;
  readonly byteLength: number;
}

/** The caller hung up or sent broken HTTP before the body was complete: nobody is left to answer. */
export const CALLER_GONE = 'caller-gone';

export function announcesTooMuch(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES;
}

/**
 * Receives a request's body into one piece of the ticket's memory, with the limit enforced while
 * it arrives. On a fault the rest of the body goes on being read and is thrown away.
 */
export function receiveBody(
  request: IncomingMessage,
  ticket: Ticket,
): Promise<Result<ReceivedBody, Fault | typeof CALLER_GONE>> {
  if (announcesTooMuch(request)) {
    return Promise.resolve(
      err(tooLarge(`an announcement of ${request.headers['content-length']}`)),
    );
  }
  const announced = Number(request.headers['content-length'] ?? 0);
  const first = ticket.reserve(Math.min(announced, MAX_INITIAL_BYTES), 0);
  if (!first.ok) {
    return Promise.resolve(first);
  }
  let memory = first.value;
  let target = Buffer.from(memory);
  let byteLength = 0;

  return new Promise((resolve) => {
    function settle(result: Result<ReceivedBody, Fault | typeof CALLER_GONE>): void {
      request.off('data', onData).off('end', onEnd).off('close', onGone);
      request.socket.off('finish', onGone);
      resolve(result);
    }
    function onData(chunk: Buffer): void {
      const needed = byteLength + chunk.length;
      if (needed > MAX_BODY_BYTES) {
        settle(err(tooLarge('more than that')));
        return;
      }
      if (needed > memory.byteLength) {
        // Who has sent that much is believed the rest: growing step by step copies each step.
        const larger = ticket.reserve(Math.max(needed, announced), byteLength);
        if (!larger.ok) {
          settle(larger);
          return;
        }
        memory = larger.value;
        target = Buffer.from(memory);
      }
      // Not `target.set`: into shared memory that writes word by word, five times as slowly.
      chunk.copy(target, byteLength);
      byteLength = needed;
      freeMemory(chunk);
    }
    function onEnd(): void {
      settle(ok({ memory, byteLength }));
    }
    function onGone(): void {
      settle(err(CALLER_GONE));
    }
    request.on('data', onData).on('end', onEnd).on('close', onGone);
    // Broken framing or a timeout is answered below the routes, which then close our side.
    request.socket.on('finish', onGone);
  });
}

function tooLarge(received: string): Fault {
  return fault(
    'SIZE_OUT_OF_RANGE',
    `the body: expected at most ${MAX_BODY_BYTES} bytes, received ${received}`,
  );
}
