import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { describeIssue, formatPath } from '../core/schema-issue.ts';
import { listManifestKeys } from './manifest-keys.ts';

type Issue = z.core.$ZodIssue;

/**
 * What is wrong with a manifest, a sentence each: the key's path, what was expected and what
 * `manifest`, the value that was validated, has there.
 */
export function describeManifestIssues(issues: readonly Issue[], manifest: unknown): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => describeUnknownKey(issue.path, key))
      : [describeIssue(issue, manifest, 'the manifest')],
  );
}

function describeUnknownKey(parent: readonly PropertyKey[], key: string): string {
  const siblings = childKeys(parent);
  const nearest = siblings
    .map((name) => ({ name, letters: distance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.letters - b.letters)[0];
  // A third of the letters wrong is a slip; more is another word.
  const isSlip = nearest !== undefined && nearest.letters <= Math.max(2, key.length / 3);
  const hint = isSlip ? `; did you mean "${nearest.name}"?` : '';
  return `${formatPath([...parent, key])}: expected one of ${siblings.join(', ')}, found an unknown key${hint}`;
}

function childKeys(parent: readonly PropertyKey[]): string[] {
  const prefix = parent.length === 0 ? '' : `${formatPath(parent).replace(/\[\d+\]/g, '[]')}.`;
  return listManifestKeys()
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length))
    .filter((name) => /^\w+$/.test(name));
}
