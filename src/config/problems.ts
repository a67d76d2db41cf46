import { clip, echoValue } from '../core/echo.ts';
import { displayPath } from './names.ts';

/** One mistake in the configuration, as data; `formatProblem` makes it a line of text. */
export interface ConfigProblem {
  /** `services[0].deadlineMs`; empty when it concerns a whole file, variable or flag. */
  readonly path: string;
  /** `edge-infer.yaml:3:7`, `variable EDGE_INFER_PORT` or `flag --port`. */
  readonly source: string;
  readonly expected: string;
  /** What was there, cut to about 60 characters. */
  readonly found: string;
  /** The name that was probably meant, or what to do. */
  readonly hint?: string;
}

const MAX_LISTED = 50;

/** Builds a problem; `found` must already be safe to print (see `describeValue`). */
export function problem(
  path: readonly PropertyKey[],
  source: string,
  what: { readonly expected: string; readonly found: string; readonly hint?: string | undefined },
): ConfigProblem {
  const { expected, found, hint } = what;
  const base = { path: clip(displayPath(path)), source, expected, found };
  return hint === undefined ? base : { ...base, hint };
}

/** `services[0].deadlineMs (edge-infer.yaml:9:17): expected ..., found 5`. */
export function formatProblem({ path, source, expected, found, hint }: ConfigProblem): string {
  const where = path === '' ? source : `${path} (${source})`;
  return `${where}: expected ${expected}, found ${found}${hint === undefined ? '' : `; ${hint}`}`;
}

/** All problems, a line each, under a heading with their number. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.slice(0, MAX_LISTED).map((each) => `  ${formatProblem(each)}`);
  const rest = problems.length - lines.length;
  return [
    `The configuration has ${count}:`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n');
}

/** A value for a message; an empty one is none in YAML. */
export function describeValue(value: unknown): string {
  return echoValue(value ?? undefined, 'keys with values');
}
