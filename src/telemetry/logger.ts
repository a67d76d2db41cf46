import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** `auto`: readable text on a terminal, one JSON object a line otherwise. */
  readonly format: 'auto' | 'json' | 'text';
}

const descriptors = { stdout: 1, stderr: 2 } as const;

/**
 * Creates the log, each line complete when the call returns. Commands whose standard output holds
 * results have it written to `stderr`.
 */
export async function createLogger(
  options: LogOptions,
  destination: keyof typeof descriptors = 'stdout',
): Promise<Logger> {
  const dest = descriptors[destination];
  const settings = {
    level: options.level,
    base: null, // process id and host name are journald's to add
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (options.format === 'text' || (options.format === 'auto' && isatty(dest))) {
    const { PinoPretty } = await import('pino-pretty');
    return pino(settings, PinoPretty({ sync: true, destination: dest, ignore: 'pid,hostname' }));
  }
  const stream = pino.destination({ dest, sync: true });
  // A full disk or a reader that went away costs log lines, never the service.
  stream.on('error', () => undefined);
  return pino(settings, stream);
}
