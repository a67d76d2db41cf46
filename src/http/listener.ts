import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { OperatorError } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { announcesTooMuch } from './body.ts';
import type { ErrorDetail } from './envelope.ts';
import { answerProtocolFaults } from './protocol-faults.ts';

export interface ListenerOptions {
  /** For messages: `service` or `admin`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** A listening socket that was passed to this process: taken in place of `host` and `port`. */
  readonly fd?: number | undefined;
  /** The flag that changes the port, for the message when it is taken. */
  readonly portFlag: string;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  readonly errorDetail: ErrorDetail;
  readonly nextLogId: () => bigint;
  readonly log: Logger;
  readonly onDroppedConnection: () => void;
  /** Called for each request that is refused below the routes. */
  readonly onProtocolFault: () => void;
}

/** What of the options may change while it runs. */
type Adoptable = Pick<
  ListenerOptions,
  'headersTimeoutMs' | 'requestTimeoutMs' | 'keepAliveTimeoutMs' | 'maxConnections' | 'errorDetail'
>;

export interface Listener {
  adopt(options: Adoptable): void;
  start(): Promise<void>;
  /** In use: the socket's own, which may differ from what is configured. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Takes no further connections (those that wait in a passed socket are left to the next process), lets every open request end and each kept-alive connection hear
   * `Connection: close` with its next answer; cuts what is still open when `deadline` aborts.
   */
  drain(deadline: AbortSignal): Promise<void>;
}

/** How often slow senders are looked for at least, in ms. */
const TIMEOUT_CHECK_MS = 2_000;
/** After this long without a request a kept-alive connection may be cut while draining, in ms. */
const IDLE_GRACE_MS = 1_000;
/**
 * How many connections may wait to be accepted; the kernel bounds it too (net.core.somaxconn).
 * Taking over a passed socket sets it anew.
 */
const BACKLOG = 4_096;

/** Open connections, each with the response to its latest request once there was one. */
type Connections = Map<Socket, ServerResponse | undefined>;

/** An HTTP server with bounds on slow and on many callers, and our JSON even below the routes. */
export function createListener(handler: RequestListener, options: ListenerOptions): Listener {
  const connections: Connections = new Map();
  let isDraining = false;
  let { errorDetail } = options;

  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, options.headersTimeoutMs),
      requireHostHeader: false, // some old clients send none
      noDelay: true,
    },
    handle,
  );
  server.maxConnections = options.maxConnections;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    connections.set(request.socket, response);
    if (isDraining) {
      response.setHeader('Connection', 'close');
    }
    handler(request, response);
  }

  server.on('connection', (socket: Socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!announcesTooMuch(request)) {
      response.writeContinue();
    }
    handle(request, response);
  });
  answerProtocolFaults(server, {
    ...options,
    errorDetail: () => errorDetail,
    latestResponse: (socket) => connections.get(socket),
  });
  server.on('drop', options.onDroppedConnection);

  return {
    async start() {
      const { host, port, fd } = options;
      try {
        server.listen({ ...(fd === undefined ? { host, port } : { fd }), backlog: BACKLOG });
        await once(server, 'listening');
        refuseOtherFamilies(server);
      } catch (error) {
        throw describeListenError(error as NodeJS.ErrnoException, options);
      }
      // Running out of file descriptors shows here; the connections that are open go on.
      server.on('error', (error) => {
        options.log.error(
          { err: error.message, listener: options.name },
          'cannot accept a connection',
        );
      });
    },
    adopt(adopted) {
      server.headersTimeout = adopted.headersTimeoutMs;
      server.requestTimeout = adopted.requestTimeoutMs;
      server.keepAliveTimeout = adopted.keepAliveTimeoutMs;
      server.maxConnections = adopted.maxConnections;
      errorDetail = adopted.errorDetail;
    },
    get address() {
      const { address: host, port } = server.address() as AddressInfo;
      return { host, port };
    },
    async drain(deadline) {
      isDraining = true;
      await drainServer(server, connections, deadline);
    },
  };
}

function describeListenError(
  error: NodeJS.ErrnoException,
  { host, port, fd, portFlag, name }: ListenerOptions,
): Error {
  if (fd !== undefined) {
    return new OperatorError(
      'CONFIG',
      `the ${name} socket that was passed as descriptor ${fd}: expected a TCP socket that listens (ListenStream= with a port, and Accept=no, in the socket unit), found another (${error.message})`,
      { cause: error },
    );
  }
  const where = `the ${name} address ${host} port ${port}`;
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return new OperatorError(
        'OS',
        `${where} is in use by another program; stop that program or choose another port with ${portFlag}`,
        { cause: error },
      );
    case 'EACCES':
      return new OperatorError(
        'OS',
        `${where} is not allowed to this user; ports below 1024 need a privilege, so choose a higher one with ${portFlag}`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new OperatorError('OS', `${where}: this host has no such address`, { cause: error });
    default:
      return new OperatorError('OS', `${where} cannot be opened: ${error.message}`, {
        cause: error,
      });
  }
}

/** A passed socket may be of any kind. */
function refuseOtherFamilies(server: Server): void {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    NetServer.prototype.close.call(server);
    throw new Error('a socket of this host alone');
  }
}

/**
 * `http.Server.close` would cut idle kept-alive connections, and a request already on its way
 * would be reset. So only the listening stops at once; idle connections are cut after a grace.
 */
async function drainServer(
  server: Server,
  connections: Connections,
  deadline: AbortSignal,
): Promise<void> {
  if (!server.listening) {
    return;
  }
  const closed = once(server, 'close');
  NetServer.prototype.close.call(server);
  for (const response of connections.values()) {
    if (response?.headersSent === false) {
      response.setHeader('Connection', 'close');
    }
  }
  // After the next look at the sockets: a request that has arrived meanwhile makes its connection busy.
  const cutIdle = () => {
    server.closeIdleConnections();
    cutSilentConnections(connections);
  };
  const graceTimer = setTimeout(() => setImmediate(cutIdle), IDLE_GRACE_MS);
  const cut = () => server.closeAllConnections();
  deadline.addEventListener('abort', cut, { once: true });
  if (deadline.aborted) {
    cut();
  }
  await closed;
  clearTimeout(graceTimer);
  deadline.removeEventListener('abort', cut);
}

/** Browsers and pools open connections ahead of need; Node counts these as busy, not as idle. */
function cutSilentConnections(connections: Connections): void {
  for (const [socket, response] of connections) {
    if (response === undefined && socket.bytesRead === 0) {
      socket.destroy();
    }
  }
}
