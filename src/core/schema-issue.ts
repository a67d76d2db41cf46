import type { z } from 'zod';
import { echoValue, quote } from './echo.ts';

type Issue = z.core.$ZodIssue;

/**
 * What is wrong with `value`, which was validated, in one sentence: the key's path, what was
 * expected and what is there. The value is called `whole` where all of it is meant.
 */
export function describeIssue(issue: Issue, value: unknown, whole: string): string {
  const path = issue.path.length === 0 ? whole : formatPath(issue.path);
  if (issue.code === 'invalid_key') {
    const [cause] = issue.issues;
    const expected = cause === undefined ? issue.message : describeExpected(cause);
    return `${path}: ${expected} as the key`;
  }
  const expected = describeExpected(issue);
  // Contradictions between several keys say themselves what was found.
  return expected.includes(', found ')
    ? `${path}: ${expected}`
    : `${path}: ${expected}, found ${echoValue(valueAt(value, issue.path), 'an object')}`;
}

function describeExpected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'invalid_union': {
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
      return `expected ${options.map((option) => JSON.stringify(option)).join(' or ')}`;
    }
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${count(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${count(issue.maximum, issue.origin)}`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
      return issue.message;
    case 'unrecognized_keys':
      return `expected no keys but those known, found ${issue.keys.map(quote).join(', ')}`;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function count(limit: number | bigint, origin: string): string {
  const isOne = Number(limit) === 1;
  if (origin === 'array') {
    return `${limit} ${isOne ? 'entry' : 'entries'}`;
  }
  return origin === 'string' ? `${limit} ${isOne ? 'character' : 'characters'}` : `${limit}`;
}

/** `golden.examples[0].top`; a key that is no plain word in brackets and quotes. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => {
      if (typeof part === 'number') {
        return `[${part}]`;
      }
      const text = String(part);
      return /^\w+$/.test(text) ? `.${text}` : `[${quote(text)}]`;
    })
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (parent, key) =>
      typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key)
        ? Reflect.get(parent, key)
        : undefined,
    value,
  );
}
