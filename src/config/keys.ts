import { z } from 'zod';
import { configSchema } from './schema.ts';
import { type KeyHelp, keyHelp } from './values.ts';

/** One step on the way to a key: a name, or the index of a list's entry. */
export type Segment = string | number;
export type KeyPath = readonly Segment[];

export interface ValueKey {
  readonly kind: 'value';
  readonly help: KeyHelp;
  /** What is accepted, in words: completes "expected ...". */
  readonly expected: string;
  /** Undefined where the key must be given or is taken from the top level. */
  readonly defaultValue: unknown;
  readonly isOptional: boolean;
  /** Reads a flag's or variable's text as the type the schema wants, or leaves it as text. */
  readonly parseText: (text: string) => unknown;
}

export interface SectionKey {
  readonly kind: 'section';
  readonly help: KeyHelp;
  readonly expected: string;
  readonly children: ReadonlyMap<string, KeyNode>;
}

interface ListKey {
  readonly kind: 'list';
  readonly help: KeyHelp;
  readonly expected: string;
  readonly defaultValue: unknown;
  readonly item: KeyNode;
}

export type KeyNode = ValueKey | SectionKey | ListKey;

/** Reads the tree of keys off a schema. Throws when it uses a type that is unknown here. */
export function describeKeys(schema: z.core.$ZodType = configSchema): SectionKey {
  const root = describe(schema);
  if (root.kind !== 'section') {
    throw new Error('the configuration schema must be an object');
  }
  return root;
}

/** Every single value with its path; an entry of a list stands at the index `listIndex`. */
export function listValues(
  node: KeyNode,
  listIndex: Segment,
  path: KeyPath = [],
): { readonly path: KeyPath; readonly key: ValueKey }[] {
  switch (node.kind) {
    case 'value':
      return [{ path, key: node }];
    case 'list':
      return listValues(node.item, listIndex, [...path, listIndex]);
    case 'section':
      return [...node.children].flatMap(([name, child]) =>
        listValues(child, listIndex, [...path, name]),
      );
  }
}

/** The key at a path, or undefined when there is none. */
export function keyAt(root: KeyNode, path: readonly PropertyKey[]): KeyNode | undefined {
  let node: KeyNode | undefined = root;
  for (const segment of path) {
    if (node?.kind === 'section') {
      node = node.children.get(String(segment));
    } else {
      node = node?.kind === 'list' && typeof segment === 'number' ? node.item : undefined;
    }
  }
  return node;
}

interface Wrapping {
  readonly help: KeyHelp;
  readonly defaultValue: unknown;
  readonly isOptional: boolean;
}

function describe(
  schema: z.core.$ZodType,
  outer: Wrapping = { help: { help: '' }, defaultValue: undefined, isOptional: false },
): KeyNode {
  const help = keyHelp.get(schema) ?? outer.help;
  const wrapping = { ...outer, help };
  if (schema instanceof z.ZodDefault) {
    const { defaultValue } = schema.def;
    return describe(schema.unwrap(), { ...wrapping, defaultValue, isOptional: true });
  }
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodExactOptional) {
    return describe(schema.unwrap(), { ...wrapping, isOptional: true });
  }
  if (schema instanceof z.ZodObject) {
    const children = Object.entries(schema.shape).map(
      ([name, child]) => [name, describe(child)] as const,
    );
    return { kind: 'section', help, expected: 'keys with values', children: new Map(children) };
  }
  if (schema instanceof z.ZodArray) {
    const { defaultValue } = outer;
    const expected = help.expected ?? 'a list';
    return { kind: 'list', help, expected, defaultValue, item: describe(schema.element) };
  }
  return {
    kind: 'value',
    ...wrapping,
    expected: help.expected ?? expectedOf(schema),
    parseText: (text) => parseTextAs(schema, text),
  };
}

function expectedOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodEnum) {
    return joinWithOr(schema.options.map((option) => `"${option}"`));
  }
  if (schema instanceof z.ZodLiteral) {
    return joinWithOr([...schema.values].map((value) => `"${value}"`));
  }
  if (schema instanceof z.ZodNumber) {
    return `a whole number from ${schema.minValue} to ${schema.maxValue}`;
  }
  if (schema instanceof z.ZodBoolean) {
    return 'true or false';
  }
  if (schema instanceof z.ZodUnion) {
    return joinWithOr(schema.options.map(expectedOf));
  }
  throw new Error(`the configuration schema says nowhere what a ${schema._zod.def.type} accepts`);
}

function joinWithOr(choices: readonly string[]): string {
  const last = choices.at(-1) ?? '';
  return choices.length < 2 ? last : `${choices.slice(0, -1).join(', ')} or ${last}`;
}

function parseTextAs(schema: z.core.$ZodType, text: string): unknown {
  if (schema instanceof z.ZodUnion) {
    return schema.options.some((option) => option instanceof z.ZodNumber)
      ? parseNumber(text)
      : text;
  }
  if (schema instanceof z.ZodNumber) {
    return parseNumber(text);
  }
  if (schema instanceof z.ZodBoolean) {
    return text === 'true' ? true : text === 'false' ? false : text;
  }
  return text;
}

// Number() alone would take '', '0x10' and '1e3', which are more likely slips than wishes.
function parseNumber(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
