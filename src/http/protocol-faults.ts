import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { fault, wireErrors } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answerJson } from './answer.ts';
import { type ErrorDetail, encodeFault } from './envelope.ts';
import { closeGently } from './linger.ts';

export interface ProtocolFaultOptions {
  readonly errorDetail: () => ErrorDetail;
  readonly nextLogId: () => bigint;
  readonly log: Logger;
  readonly onProtocolFault: () => void;
  /** The response to the latest request on a connection; undefined before the first. */
  readonly latestResponse: (socket: Socket) => ServerResponse | undefined;
}

/** Node's error for a request that its parser refuses or stops waiting for. */
interface ProtocolError extends NodeJS.ErrnoException {
  /** The bytes at which the parser stopped. */
  readonly rawPacket?: Uint8Array;
}

/** Gives faults below the routes their HTTP status and, as every fault has, JSON. */
export function answerProtocolFaults(server: Server, options: ProtocolFaultOptions): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const json = describeFault(417, 'expected "Expect: 100-continue" or none, received another');
    answerJson({ req: request, res: response }, json, { status: 417, closesConnection: true });
  });

  // A parser that has failed fails again on whatever still comes.
  const refused = new WeakSet<Socket>();
  server.on('clientError', (error: ProtocolError, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) {
      socket.destroy();
    } else if (!socket.writableEnded && !refused.has(socket)) {
      refused.add(socket);
      refuse(error, socket, options.latestResponse(socket));
    }
  });

  function refuse(error: ProtocolError, socket: Socket, latest: ServerResponse | undefined): void {
    if (latest === undefined || latest.closed) {
      answerRaw(error, socket);
    } else if (latest.req.complete) {
      // The fault lies in what follows a good request, whose answer comes first.
      latest.once('close', () => answerRaw(error, socket));
    } else if (latest.headersSent) {
      closeGently(socket); // this very request has its answer
    } else {
      const [status, detail] = explain(error);
      const json = describeFault(status, detail);
      answerJson({ req: latest.req, res: latest }, json, { status, closesConnection: true });
    }
  }

  /** Answers where no request has got as far as having a response. */
  function answerRaw(error: ProtocolError, socket: Socket): void {
    if (!socket.writable) {
      return;
    }
    const [status, detail] = explain(error);
    const json = describeFault(status, detail);
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(json)}\r\nConnection: close\r\n\r\n${json}`,
    );
    closeGently(socket);
  }

  function describeFault(status: number, detail: string): string {
    options.onProtocolFault();
    const logId = options.nextLogId();
    const code = wireErrors.INVALID_ARGUMENT.wireCode;
    options.log.info({ log_id: logId.toString(), code, status, detail }, 'request');
    return encodeFault(logId, fault('INVALID_ARGUMENT', detail), options.errorDetail());
  }
}

/** The first byte of a TLS connection: the type of its handshake records. */
const TLS_HANDSHAKE = 0x16;

function explain({ code = '', rawPacket }: ProtocolError): [status: number, detail: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'expected the whole request in time, received a part of it'];
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'expected headers of at most 16 KiB, received more'];
    case 'HPE_INVALID_URL':
      return [400, 'expected a percent-encoded path, received characters that no URL may hold'];
    case 'HPE_PAUSED_H2_UPGRADE':
      return [400, 'expected HTTP/1.1, received HTTP/2'];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'expected chunk extensions of at most 16 KiB, received more'];
    default:
      return rawPacket?.[0] === TLS_HANDSHAKE
        ? [400, 'expected plain HTTP, received a TLS handshake; write http:// instead of https://']
        : [400, `expected a well-formed HTTP/1.1 request, received something else (${code})`];
  }
}
