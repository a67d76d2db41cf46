import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';
import { createJournalStream } from './journal-stream.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /**
   * `auto`: readable text on a terminal and in systemd's journal, one JSON object a line otherwise.
   */
  readonly format: 'auto' | 'json' | 'text';
}

/** Where the log goes. */
export interface LogDestination {
  /** Commands whose standard output holds results have it written to `stderr`. */
  readonly stream?: 'stdout' | 'stderr';
  /** When the stream is a socket to systemd's journal: told of each line that it did not take. */
  readonly onDroppedLine?: (() => void) | undefined;
}

const descriptors = { stdout: 1, stderr: 2 } as const;

/** Creates the log, each line complete when the call returns; in the journal see `JournalStream`. */
export async function createLogger(
  options: LogOptions,
  { stream: name = 'stdout', onDroppedLine }: LogDestination = {},
): Promise<Logger> {
  const dest = descriptors[name];
  const settings = {
    level: options.level,
    base: null, // process id and host name are journald's to add
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (onDroppedLine !== undefined) {
    const format = options.format === 'json' ? 'json' : 'text';
    const log: Logger = pino(
      { ...settings, timestamp: format === 'json' && settings.timestamp },
      createJournalStream({
        fd: dest,
        format,
        onDropped: onDroppedLine,
        onFlowing: (lines) =>
          log.warn({ lines }, 'the journal took no lines for a while; so many are lost'),
      }),
    );
    return log;
  }
  if (options.format === 'text' || (options.format === 'auto' && isatty(dest))) {
    const { PinoPretty } = await import('pino-pretty');
    return pino(settings, PinoPretty({ sync: true, destination: dest, ignore: 'pid,hostname' }));
  }
  const stream = pino.destination({ dest, sync: true });
  // A full disk or a reader that went away costs log lines, never the service.
  stream.on('error', () => undefined);
  return pino(settings, stream);
}
