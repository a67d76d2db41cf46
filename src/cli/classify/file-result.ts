import { getSystemErrorMessage } from 'node:util';
import { type Fault, wireErrors } from '../../core/errors.ts';

interface ScoredClass {
  readonly name: string;
  readonly score: number;
}

export interface FileError {
  /** The wire's number, or the system's name, such as `EACCES`, for a file that cannot be read. */
  readonly code: number | string;
  readonly message: string;
  readonly detail: string;
}

/** What became of one file, as `--json` prints it. */
export type FileResult =
  | { readonly file: string; readonly results: readonly ScoredClass[] }
  | { readonly file: string; readonly error: FileError };

export function describeFault({ code, detail }: Fault): FileError {
  const { wireCode, wireMessage } = wireErrors[code];
  return { code: wireCode, message: wireMessage, detail };
}

export function describeFileError(error: unknown): FileError {
  const { code = 'unknown', errno, message } = error as NodeJS.ErrnoException;
  return {
    code,
    message: errno === undefined ? message : getSystemErrorMessage(errno),
    detail: details[code] ?? `it cannot be read (${code})`,
  };
}

const details: Readonly<Record<string, string>> = {
  ENOENT: 'expected a file or folder, found nothing there',
  ENOTDIR: 'expected a file or folder, found nothing there',
  EACCES: 'it cannot be read by this user; give it read permission',
  EPERM: 'it cannot be read by this user; give it read permission',
};
