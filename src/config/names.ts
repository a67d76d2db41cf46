import { distance } from 'fastest-levenshtein';
import type { KeyNode, KeyPath, Segment } from './keys.ts';

export const VARIABLE_PREFIX = 'EDGE_INFER_';
/** The variable with the file's path; every other variable is a key of the schema. */
/** Of the vendor's commands, which have no configuration: no key of it begins so. */
export const VENDOR_PREFIX = `${VARIABLE_PREFIX}VENDOR_`;
export const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`;
export const CONFIG_FLAG = 'config';

/** `['http', 'statusCodes']` -> `EDGE_INFER_HTTP__STATUS_CODES`. */
export function variableName(path: KeyPath): string {
  return VARIABLE_PREFIX + path.map(toUpperSnake).join('__');
}

/** `['http', 'statusCodes']` -> `http.status-codes`, the flag without its dashes. */
export function flagName(path: KeyPath): string {
  return path.map(toKebab).join('.');
}

/** `['services', 0, 'device']` -> `services[0].device`, as messages write it. */
export function displayPath(path: readonly PropertyKey[]): string {
  return path
    .map((segment, index) =>
      typeof segment === 'number' ? `[${segment}]` : `${index === 0 ? '' : '.'}${String(segment)}`,
    )
    .join('');
}

/** The path that a variable's name stands for, or undefined when it names no key. */
export function pathOfVariable(root: KeyNode, name: string): KeyPath | undefined {
  return resolve(root, name.slice(VARIABLE_PREFIX.length).split('__'), toUpperSnake);
}

/** The path that a flag stands for; `state-dir` and `stateDir` are the same flag. */
export function pathOfFlag(root: KeyNode, name: string): KeyPath | undefined {
  return resolve(root, name.split('.').map(toKebab), toKebab);
}

function resolve(
  root: KeyNode,
  parts: readonly string[],
  spell: (name: string) => string,
): KeyPath | undefined {
  const path: Segment[] = [];
  let node = root;
  for (const part of parts) {
    if (node.kind === 'list' && /^(0|[1-9]\d{0,3})$/.test(part)) {
      path.push(Number(part));
      node = node.item;
      continue;
    }
    const child =
      node.kind === 'section' ? [...node.children].find(([key]) => spell(key) === part) : undefined;
    if (child === undefined) {
      return undefined;
    }
    path.push(child[0]);
    node = child[1];
  }
  return path;
}

/**
 * The candidate that a mistyped name most likely means, or undefined when none is near.
 * Case, dashes and underscores do not count: `state_dir` means `stateDir`.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = simplify(name.slice(0, 100));
  // A third of the letters wrong is a slip; more is another word.
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  let best: string | undefined;
  for (const candidate of candidates) {
    const spelled = simplify(candidate);
    // A cut-off name, such as http.status for http.statusCodes, is nearer than its letters say.
    const isCutOff = wanted.length >= 4 && spelled.startsWith(wanted);
    const candidateDistance = isCutOff ? 1 : distance(wanted, spelled);
    if (candidateDistance < bestDistance) {
      bestDistance = candidateDistance;
      best = candidate;
    }
  }
  return best;
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '');
}

function toUpperSnake(segment: Segment): string {
  return String(segment).replace(/[A-Z]/g, '_$&').toUpperCase();
}

function toKebab(segment: Segment): string {
  return String(segment).replace(/[A-Z]/g, '-$&').toLowerCase();
}
