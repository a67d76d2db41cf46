import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** `auto`: readable text on a terminal, one JSON object a line otherwise. */
  readonly format: 'auto' | 'json' | 'text';
}

const STDOUT = 1;

/** Creates the log, written to standard output, each line complete when the call returns. */
export async function createLogger(options: LogOptions): Promise<Logger> {
  const settings = {
    level: options.level,
    base: null, // process id and host name are journald's to add
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (options.format === 'text' || (options.format === 'auto' && isatty(STDOUT))) {
    const { PinoPretty } = await import('pino-pretty');
    return pino(settings, PinoPretty({ sync: true, destination: STDOUT, ignore: 'pid,hostname' }));
  }
  return pino(settings, pino.destination({ dest: STDOUT, sync: true }));
}
