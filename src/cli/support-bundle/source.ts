import type { ConfigSources } from '../../config/load.ts';
import type { Result } from '../../core/result.ts';
import type { HostView } from '../doctor/host-view.ts';
import type { BundleFile } from './archive.ts';

/** What whoever wants a bundle says. */
export interface CollectInput {
  readonly configSources: ConfigSources;
  /** A log to take the end of, where there is no journal. */
  readonly logFile: string | undefined;
}

/** What a bundle is collected from. */
export interface SourceContext extends CollectInput {
  readonly host: HostView;
}

/** One file of the bundle before it is collected. */
export interface Source {
  /** Its name in the archive. */
  readonly name: string;
  /** What it is, for the list. */
  readonly holds: string;
  /** How long it may take, in milliseconds; that of a file or a program of the system, unless it says. */
  readonly limitMs?: number;
  /** Its text as it is found here, not yet fit to leave; the error is a sentence's end. */
  collect(context: SourceContext): Promise<Result<string, string>>;
}

export interface CollectedFile extends BundleFile {
  readonly holds: string;
}
