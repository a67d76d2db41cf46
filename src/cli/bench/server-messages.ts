import type { Config } from '../../config/schema.ts';
import type { ExitCodeName } from '../../core/errors.ts';

/** What `bench` and the server that it measures say to each other over their channel. */

export type ToServer =
  | { readonly kind: 'start'; readonly config: Config }
  | { readonly kind: 'usage' };

export type FromServer = Loaded | Refused | Usage;

/** Every model is ready or has failed. */
export interface Loaded {
  readonly kind: 'loaded';
  readonly servicePort: number;
  readonly adminPort: number;
  /** Why the service is not ready; empty when it is. */
  readonly problems: readonly string[];
}

/** It could not start at all. */
interface Refused {
  readonly kind: 'refused';
  readonly exit: ExitCodeName;
  readonly message: string;
}

/** Of the server's process with all its threads, since it started. */
export interface Usage {
  readonly kind: 'usage';
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
}
