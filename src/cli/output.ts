import { OperatorError } from '../core/errors.ts';

/**
 * Writes to standard output and waits where the reader is slower, so that nothing piles up.
 * False when nobody reads any more, as behind `| head`; throws an OperatorError (exit OS) when the
 * text cannot be written for another reason, such as a full disk.
 */
export function writeOutput(text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) {
        resolve(true);
      } else if (isReaderGone(error)) {
        resolve(false);
      } else {
        reject(describeOutputError(error));
      }
    });
  });
}

export function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
}

export function describeOutputError(error: Error): OperatorError {
  return new OperatorError('OS', `standard output cannot be written: ${error.message}`, {
    cause: error,
  });
}
