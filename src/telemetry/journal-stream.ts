import { Socket } from 'node:net';

/** Where pino writes its lines, with the level of the line that it is about to write. */
export interface JournalStream {
  lastLevel: number;
  write(line: string): void;
}

export interface JournalStreamOptions {
  /** A stream socket to the journal. */
  readonly fd: number;
  /** `text` puts the message first and leaves out what the journal knows: time and level. */
  readonly format: 'json' | 'text';
  /** Told of each line that could not be written. */
  readonly onDropped: () => void;
  /** Told of how many they were, once the journal takes lines again. */
  readonly onFlowing: (droppedLines: number) => void;
}

/** Bytes that wait for a journal that takes nothing; beyond them lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** syslog(3)'s priorities, by the lowest of pino's levels that has them. */
const priorities = [
  [60, 2], // fatal
  [50, 3],
  [40, 4],
  [30, 6],
] as const;
const DEBUG = 7;

/**
 * Writes lines to the journal, each with its priority, without ever waiting: a journal that is
 * stopped costs lines, not the service. A line is with the kernel when the call returns unless lines
 * before it wait.
 */
export function createJournalStream(options: JournalStreamOptions): JournalStream {
  const socket = new Socket({ fd: options.fd, readable: false, writable: true });
  let droppedLines = 0;
  socket.on('error', () => undefined); // its lines are counted, each by its own write
  function countLost(error: Error | null | undefined): void {
    if (error) {
      droppedLines++;
      options.onDropped();
    }
  }
  socket.on('drain', () => {
    if (droppedLines > 0) {
      const count = droppedLines;
      droppedLines = 0;
      options.onFlowing(count);
    }
  });
  return {
    [Symbol.for('pino.metadata')]: true, // has pino set what follows
    lastLevel: 30,
    write(line) {
      if (socket.destroyed || socket.writableLength > MAX_WAITING_BYTES) {
        droppedLines++;
        options.onDropped();
        return;
      }
      const level = this.lastLevel;
      const priority = priorities.find(([lowest]) => level >= lowest)?.[1] ?? DEBUG;
      const text = options.format === 'json' ? line : putMessageFirst(line);
      socket.write(`<${priority}>${text}`, countLost);
    },
  };
}

const MESSAGE_KEY = '"msg":"';

/**
 * Turns `{"level":"info","service":"a","msg":"ready"}` into `ready {"service":"a"}`, without parsing
 * it.
 */
export function putMessageFirst(line: string): string {
  // No quote inside of a value can look like this one, since JSON escapes it.
  const at = line.lastIndexOf(MESSAGE_KEY);
  const end = line.lastIndexOf('"}');
  if (at < 0 || end < at) {
    return line;
  }
  const escaped = line.slice(at + MESSAGE_KEY.length, end);
  const message = escaped.includes('\\') ? (JSON.parse(`"${escaped}"`) as string) : escaped;
  const facts = line
    .slice(0, at)
    .replace(/^\{"level":"\w+",?/, '')
    .replace(/,$/, '');
  const text = message.replaceAll('\n', ' '); // a line each
  return facts === '' ? `${text}\n` : `${text} {${facts}}\n`;
}
