import { connect } from 'node:net';

/** One HTTP answer as it came over the socket. */
export interface RawAnswer {
  /** `HTTP/1.1 200 OK` */
  readonly statusLine: string;
  readonly status: number;
  /** By name in lower case; a name that comes twice is joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The body as UTF-8, a `log_id` of 19 digits replaced by the word ID. */
  readonly masked: string;
}

/** A TCP connection on which a test decides every byte and when to read. */
export interface RawConnection extends Disposable {
  /** Resolves when the operating system has taken the bytes; rejects when the other side reset. */
  send(bytes: string | Uint8Array): Promise<void>;
  /** The next answer, interim ones (100) included. Rejects when the connection ends before it. */
  read(options?: { readonly toHead?: boolean }): Promise<RawAnswer>;
  /** How the other side ended the connection, once it has. */
  readonly ended: Promise<'closed' | 'reset'>;
  /** What was received and not yet read as an answer. */
  readonly rest: () => string;
  /** Sends the end of the stream and goes on reading. */
  finishSending(): void;
  /** Closes without ceremony: the other side sees a hang-up. */
  hangUp(): void;
  /** Lets reading begin on a connection opened with `reads: 'later'`. */
  startReading(): void;
}

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  /** One line each, without the line end; `Host` and a length are added unless given. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

export const imagenetPath = '/imagenet/ImageClassification';

/** Puts a request's bytes together; the default is a POST to the default service. */
export function buildRequest(parts: RequestParts = {}): Buffer {
  const { method = 'POST', path = imagenetPath, headers = [], body = '' } = parts;
  const bytes = Buffer.from(body);
  const has = (name: string) => headers.some((line) => line.toLowerCase().startsWith(name));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(has('host:') ? [] : ['Host: 127.0.0.1']),
    ...headers,
    ...(has('content-length:') || has('transfer-encoding:')
      ? []
      : [`Content-Length: ${bytes.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** Opens a connection, sends one request, reads its answer and closes. */
export async function exchange(port: number, request: RequestParts | Buffer): Promise<RawAnswer> {
  using connection = await openConnection(port);
  const bytes = Buffer.isBuffer(request) ? request : buildRequest(request);
  // Not awaited: an answer may come, and has to be seen, before the last byte is taken.
  const sent = connection.send(bytes);
  const toHead = bytes.subarray(0, 5).toString() === 'HEAD ';
  const [answer] = await Promise.all([connection.read({ toHead }), sent]);
  return answer;
}

/** Opens a connection; `later` leaves everything unread, in the kernel, until `startReading`. */
export async function openConnection(
  port: number,
  { reads = 'at once' }: { readonly reads?: 'at once' | 'later' } = {},
): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const ended = Promise.withResolvers<'closed' | 'reset'>();
  let received = Buffer.alloc(0);
  let hasEnded = false;
  let onChange: () => void = () => undefined;
  const end = (how: 'closed' | 'reset') => {
    hasEnded = true;
    ended.resolve(how);
    onChange();
  };
  socket.pause(); // or the listener for data would begin to read
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    onChange();
  });
  socket.on('end', () => end('closed'));
  socket.on('error', () => end('reset'));
  socket.on('close', () => end('closed'));
  if (reads === 'at once') {
    socket.resume();
  }
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });

  return {
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    async read({ toHead = false } = {}) {
      for (;;) {
        const parsed = parseAnswer(received, toHead, hasEnded);
        if (parsed !== undefined) {
          received = received.subarray(parsed.byteLength);
          return parsed.answer;
        }
        if (hasEnded) {
          throw new Error(`the connection ended (${await ended.promise}) before an answer`);
        }
        await new Promise<void>((resolve) => {
          onChange = resolve;
        });
      }
    },
    ended: ended.promise,
    rest: () => received.toString(),
    finishSending: () => socket.end(),
    hangUp: () => socket.destroy(),
    startReading: () => socket.resume(),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

interface ParsedAnswer {
  readonly answer: RawAnswer;
  readonly byteLength: number;
}

/** Returns the first whole answer in `bytes`; one without a length lasts until the end. */
function parseAnswer(bytes: Buffer, toHead: boolean, hasEnded: boolean): ParsedAnswer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) {
    return undefined;
  }
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const status = Number(statusLine.split(' ')[1]);
  const hasNoBody = toHead || status < 200 || status === 204 || status === 304;
  const length = hasNoBody ? 0 : Number(headers.get('content-length') ?? Number.NaN);
  const start = headEnd + 4;
  if (Number.isNaN(length) ? !hasEnded : bytes.length < start + length) {
    return undefined;
  }
  const end = Number.isNaN(length) ? bytes.length : start + length;
  const body = bytes.subarray(start, end);
  const masked = maskLogId(body.toString());
  return { answer: { statusLine, status, headers, body, masked }, byteLength: end };
}

/** Replaces a well-formed `log_id`; one with another number of digits, or quoted, stays visible. */
function maskLogId(text: string): string {
  return text.replace(/"log_id":[1-9][0-9]{18}(?=[,}])/, '"log_id":ID');
}
