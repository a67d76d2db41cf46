import type { ConfigSources } from '../../config/load.ts';
import type { Finding } from './finding.ts';

export type ToExaminer = ConfigSources;

export type FromExaminer =
  /** The checks that follow. */
  | { readonly kind: 'begun'; readonly names: readonly string[] }
  | { readonly kind: 'checked'; readonly name: string; readonly findings: readonly Finding[] };
