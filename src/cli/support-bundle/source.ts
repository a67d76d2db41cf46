import type { Result } from '../../core/result.ts';

/** One file of the bundle before it is collected. */
export interface Source {
  /** Its name in the archive. */
  readonly name: string;
  /** What it is, for the list. */
  readonly holds: string;
  /** Its text as it is found here, not yet fit to leave; the error is a sentence's end. */
  collect(): Promise<Result<string, string>>;
}
