import type { z } from 'zod';
import { type ExitCodeName, OperatorError } from '../../core/errors.ts';
import { err, type Result } from '../../core/result.ts';
import { describeIssue } from '../../core/schema-issue.ts';

/** Why a command cannot do its work: a sentence, and how the program then ends. */
export interface Problem {
  readonly exit: ExitCodeName;
  readonly text: string;
}

export type Checked<T> = Result<T, readonly Problem[]>;

export function refuse(exit: ExitCodeName, ...texts: readonly string[]) {
  return err(texts.map((text): Problem => ({ exit, text })));
}

type Values<Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends Checked<infer Value> ? Value : never;
};

/** The values of all parts; throws an OperatorError that tells every problem of every part. */
export function allOrThrow<Parts extends Readonly<Record<string, Checked<unknown>>>>(
  parts: Parts,
): Values<Parts> {
  const problems = Object.values(parts).flatMap((part) => (part.ok ? [] : part.error));
  if (problems.length > 0) {
    fail(problems);
  }
  const values = Object.entries(parts).map(([name, part]) => [name, part.ok && part.value]);
  return Object.fromEntries(values) as Values<Parts>;
}

/** Ends a command that found these problems: as the first of them says, unless a file is missing. */
function fail(problems: readonly Problem[]): never {
  const { exit } = problems.find((problem) => problem.exit === 'NO_INPUT') ?? problems[0] ?? {};
  const texts = problems.map(({ text }) => text);
  const heading = texts.length === 1 ? [] : [`there are ${texts.length} problems:`];
  throw new OperatorError(exit ?? 'SOFTWARE', [...heading, ...texts].join('\n  '));
}

/**
 * Checks the options of a command line, as commander gives them, all at once.
 *
 * @param command for the message: `vendor issue`
 */
export function checkOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: Readonly<Record<string, unknown>>,
  command: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) {
    return parsed.data;
  }
  const problems = parsed.error.issues.map((issue): Problem => {
    const name = String(issue.path[0] ?? '');
    const text = describeIssue({ ...issue, path: [] }, options[name], toFlag(name));
    return { exit: 'USAGE', text };
  });
  const [last] = problems.splice(-1);
  const see = `See "edge-infer ${command} --help".`;
  return fail([...problems, { exit: 'USAGE', text: `${last?.text}\n${see}` }]);
}

function toFlag(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
