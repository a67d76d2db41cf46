import { quote } from '../core/echo.ts';
import type { KeyNode, KeyPath, SectionKey, Segment } from './keys.ts';
import { displayPath } from './names.ts';
import { type ConfigProblem, problem } from './problems.ts';
import type { Setting } from './settings.ts';

type Values = Record<string, unknown>;

export interface Merged {
  readonly values: Values;
  readonly problems: readonly ConfigProblem[];
}

/** Lays settings over the values of a file; a later setting counts before an earlier one. */
export function mergeSettings(
  keys: SectionKey,
  fileValues: Values,
  settings: readonly Setting[],
): Merged {
  const values = asValues(copyKnown(keys, fileValues)) ?? {};
  const problems: ConfigProblem[] = [];
  for (const setting of settings.toSorted(byListIndex)) {
    const refusal = setAt(keys, values, setting);
    if (refusal !== undefined) {
      problems.push(refusal);
    }
  }
  return { values, problems };
}

/** `value` as keys with values, or undefined when it is something else. */
export function asValues(value: unknown): Values | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Values)
    : undefined;
}

/** The value at a path, following own keys only. */
export function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const segment of path) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, segment)
        ? (value as Record<PropertyKey, unknown>)[segment]
        : undefined;
  }
  return value;
}

/**
 * Copies the parts that the schema knows, since YAML aliases share one object. A section with
 * nothing under it (all its keys commented out) is null in YAML and means an empty one.
 */
function copyKnown(node: KeyNode, value: unknown): unknown {
  if (node.kind === 'list') {
    return Array.isArray(value) ? value.map((item) => copyKnown(node.item, item)) : value;
  }
  if (node.kind === 'value') {
    return value;
  }
  const section = value === null ? {} : asValues(value);
  if (section === undefined) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(section).map(([name, child]) => {
      const childNode = node.children.get(name);
      return [name, childNode === undefined ? child : copyKnown(childNode, child)];
    }),
  );
}

// Entries are appended in order, so services.1 must be set before services.2.
function byListIndex(a: Setting, b: Setting): number {
  return (a.path.find(isIndex) ?? 0) - (b.path.find(isIndex) ?? 0);
}

function isIndex(segment: Segment): segment is number {
  return typeof segment === 'number';
}

function setAt(keys: SectionKey, values: Values, setting: Setting): ConfigProblem | undefined {
  let node: KeyNode = keys;
  let holder: Values | unknown[] = values;
  for (const [depth, segment] of setting.path.entries()) {
    const child: KeyNode | undefined = childNode(node, segment);
    if (child === undefined) {
      return undefined;
    }
    if (Array.isArray(holder) && Number(segment) > holder.length) {
      return gap(setting, depth, holder.length);
    }
    const slots = holder as Record<Segment, unknown>;
    if (child.kind === 'value') {
      slots[segment] = setting.value;
      return undefined;
    }
    const held =
      slots[segment] ?? (child.kind === 'list' ? structuredClone(child.defaultValue) : {});
    const next: Values | unknown[] | undefined =
      child.kind === 'list' ? (Array.isArray(held) ? held : undefined) : asValues(held);
    if (next === undefined) {
      // The file holds something else here, which validation reports.
      return undefined;
    }
    slots[segment] = next;
    holder = next;
    node = child;
  }
  return undefined;
}

function childNode(node: KeyNode, segment: Segment): KeyNode | undefined {
  if (node.kind === 'section') {
    return node.children.get(String(segment));
  }
  return node.kind === 'list' ? node.item : undefined;
}

function gap(setting: Setting, depth: number, length: number): ConfigProblem {
  const list: KeyPath = setting.path.slice(0, depth);
  return problem(setting.path, setting.source, {
    expected: `an index from 0 to ${length} (${displayPath(list)} has ${length} so far)`,
    found: quote(String(setting.path[depth])),
  });
}
