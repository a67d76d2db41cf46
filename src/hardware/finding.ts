import type { ComponentKind } from './components.ts';

/** What a reader found of one kind, with raw values: for the reading process only. */
export interface Finding {
  readonly kind: ComponentKind;
  /** Normalised; empty when there is none, or none that tells hosts apart. */
  readonly values: readonly string[];
  /** Why there is no value, without values. */
  readonly note?: string;
  /** Whether there may be one that this process may not read. */
  readonly isUnreadable?: boolean;
  /** Whether the files do not tell at all, so that another source is worth asking. */
  readonly isMissing?: boolean;
}
