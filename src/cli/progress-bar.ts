import { SingleBar } from 'cli-progress';

/** A bar on standard error; `format` as cli-progress takes it. */
export function createProgressBar(format: string): SingleBar {
  return new SingleBar({
    stream: process.stderr,
    format,
    barCompleteChar: '=',
    barIncompleteChar: '-',
    barsize: 30,
    linewrap: false,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is the command's to handle
  });
}
