import { z } from 'zod';
import { clip, quote } from '../core/echo.ts';
import { keyAt, listValues, type SectionKey } from './keys.ts';
import { valueAt } from './merge.ts';
import { displayPath, nearestName } from './names.ts';
import type { Origins } from './origins.ts';
import { type ConfigProblem, describeValue, problem } from './problems.ts';
import { orchestratorHint } from './settings.ts';

interface Context {
  readonly keys: SectionKey;
  /** What was validated. */
  readonly values: unknown;
  readonly origins: Origins;
}

/** What `checkPorts` and its like report, read back from zod's issue. */
const crossCheckReport = z.object({
  expected: z.string(),
  found: z.unknown(),
  relatedPath: z.array(z.union([z.string(), z.number()])),
});

/** Turns zod's issues into problems in this program's words, one for each key. */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  context: Context,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const explained = new Set<string>();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      problems.push(...issue.keys.map((name) => explainUnknownKey(issue.path, name, context)));
      continue;
    }
    const path = displayPath(issue.path);
    // A value that breaks two limits breaks one rule, which the message states whole.
    if (!explained.has(path)) {
      explained.add(path);
      problems.push(explainIssue(issue, context));
    }
  }
  return problems;
}

function explainIssue(issue: z.core.$ZodIssue, { keys, values, origins }: Context): ConfigProblem {
  const report = crossCheckReport.safeParse(issue.code === 'custom' ? issue.params : undefined);
  if (report.success) {
    const { expected, found, relatedPath } = report.data;
    const own = origins.of(issue.path);
    const origin = own.kind === 'default' ? origins.of(relatedPath) : own;
    return problem(issue.path, origin.source, { expected, found: describeValue(found) });
  }
  const value = valueAt(values, issue.path);
  const { source } = origins.nearest(issue.path);
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  const isBare = typeof value === 'number' || typeof value === 'boolean';
  return problem(issue.path, source, {
    expected: keyAt(keys, issue.path)?.expected ?? clip(issue.message),
    found: describeValue(value),
    hint: wantsText && isBare ? 'put it in quotes' : hintFor(source, value),
  });
}

function hintFor(source: string, value: unknown): string | undefined {
  return source.startsWith('variable ') ? orchestratorHint('', value) : undefined;
}

function explainUnknownKey(
  parent: readonly PropertyKey[],
  name: string,
  { keys, origins }: Context,
): ConfigProblem {
  const section = keyAt(keys, parent);
  const siblings = section?.kind === 'section' ? [...section.children.keys()] : [];
  const nearest = nearestName(name, siblings) ?? sameNameElsewhere(keys, name);
  return problem([...parent, name], origins.ofFileKey([...parent, name]).source, {
    expected: `one of ${siblings.join(', ')}`,
    found: `the unknown key ${quote(name)}`,
    hint: nearest === undefined ? undefined : `did you mean "${nearest}"?`,
  });
}

/** `level` at the top is a key in the wrong place: `log.level`. */
function sameNameElsewhere(keys: SectionKey, name: string): string | undefined {
  const match = listValues(keys, 0).find(({ path }) => path.at(-1) === name);
  return match === undefined ? undefined : displayPath(match.path);
}
