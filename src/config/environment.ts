import { VARIABLE_PREFIX } from './names.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * This program's own variables (`EDGE_INFER_*`). The only place that reads `process.env` for
 * the configuration; everything else is handed what this returns.
 */
export function readEnvironment(all: Environment = process.env): Environment {
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => name.startsWith(VARIABLE_PREFIX)),
  );
}
