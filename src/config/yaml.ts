import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from 'yaml';
import { type ConfigProblem, clip, problem, quote } from './problems.ts';

/** A parsed file: its values, and where in the text each of them stands. */
export interface YamlSource {
  /** Undefined for an empty file. */
  readonly root: unknown;
  /** The file's name in messages. */
  readonly label: string;
  /** `edge-infer.yaml:3:7` for a value, or undefined when the file does not hold it. */
  locate(path: readonly PropertyKey[]): string | undefined;
  /** The position of the key itself, or else of what encloses it. */
  locateNearest(path: readonly PropertyKey[]): string;
}

/** What stands in for a file that is missing or unreadable. */
export function emptyYaml(label: string): YamlSource {
  return { root: undefined, label, locate: () => undefined, locateNearest: () => label };
}

// Ten aliases of ten aliases of ... must not become a billion values.
const MAX_ALIASES = 100;
const TOO_DEEP = 'too deep a nesting';

/** Parses one YAML 1.2 document. Never throws; with problems the root is undefined. */
export function parseYaml(
  text: string,
  label: string,
): { yaml: YamlSource; problems: ConfigProblem[] } {
  const lines = new LineCounter();
  const position = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${label}:${line}:${col}`;
  };
  const failed = (problems: ConfigProblem[]) => ({ yaml: emptyYaml(label), problems });
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      // The parser's own search is quadratic; findMistakes is not.
      uniqueKeys: false,
    });
    const [document, second] = Array.isArray(documents) ? documents : [];
    if (document === undefined) {
      return { yaml: emptyYaml(label), problems: [] };
    }
    const problems = [...findSyntaxErrors(document, position), ...findMistakes(document, position)];
    if (second !== undefined) {
      problems.push(
        problem([], position(second.range[0]), {
          expected: 'one YAML document',
          found: 'a second one',
          hint: 'remove the line "---" between them',
        }),
      );
    }
    if (problems.length > 0) {
      return failed(problems);
    }
    const root: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { yaml: { root, label, ...createLocator(document, label, position) }, problems: [] };
  } catch (error) {
    // RangeError: the stack ends in a very deep document. ReferenceError: too many aliases.
    return failed([
      problem([], label, {
        expected: 'a plain YAML file',
        found: error instanceof RangeError ? TOO_DEEP : clip(`a file it cannot read (${error})`),
      }),
    ]);
  }
}

type Position = (offset: number) => string;

function findSyntaxErrors(document: Document, position: Position): ConfigProblem[] {
  // Warnings are tags that YAML does not know, such as !!js/function. One mistake makes the
  // parser stumble over what follows at the same place; its first message says the most.
  const messageByPosition = new Map<string, string>();
  for (const error of [...document.errors, ...document.warnings]) {
    const at = position(error.pos[0]);
    messageByPosition.set(at, messageByPosition.get(at) ?? error.message);
  }
  return [...messageByPosition].map(([at, message]) =>
    problem([], at, { expected: 'valid YAML', found: explainMessage(message) }),
  );
}

function explainMessage(message: string): string {
  // The parser reports the end of its own stack as if it were a mistake of grammar.
  return message.startsWith('Maximum call stack') ? TOO_DEEP : clip(message);
}

/** Keys given twice, and aliases of nothing: what the parser leaves to its user. */
function findMistakes(document: Document, position: Position): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) {
        problems.push(
          problem([], position(alias.range?.[0] ?? 0), {
            expected: 'valid YAML',
            found: `an alias of nothing, ${quote(`*${alias.source}`)}`,
          }),
        );
      }
    },
    Map(_key, map) {
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        if (!isScalar(key)) {
          continue;
        }
        const name = String(key.value);
        const start = key.range?.[0] ?? 0;
        const first = seen.get(name);
        if (first === undefined) {
          seen.set(name, start);
        } else {
          problems.push(
            problem([], position(start), {
              expected: 'each key once',
              found: `${quote(name)} again`,
              hint: `it stands at ${position(first)} already`,
            }),
          );
        }
      }
    },
  });
  return problems;
}

interface Child {
  readonly node: unknown;
  readonly key: unknown;
}

function createLocator(
  document: Document,
  label: string,
  position: Position,
): Pick<YamlSource, 'locate' | 'locateNearest'> {
  const pairsByMap = new WeakMap<object, ReadonlyMap<string, Pair>>();
  function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    // Searching the items anew for each of many mistakes would be quadratic.
    let pairs = pairsByMap.get(map);
    if (pairs === undefined) {
      const named = map.items.filter(({ key }) => isScalar(key));
      pairs = new Map(named.map((pair) => [String(pair.key), pair]));
      pairsByMap.set(map, pairs);
    }
    return pairs;
  }
  function childOf(node: unknown, segment: PropertyKey): Child | undefined {
    if (isSeq(node) && typeof segment === 'number' && segment < node.items.length) {
      return { node: node.items[segment], key: undefined };
    }
    const pair = isMap(node) ? pairsOf(node).get(String(segment)) : undefined;
    return pair === undefined ? undefined : { node: pair.value, key: pair.key };
  }
  function walk(path: readonly PropertyKey[]) {
    let node: unknown = document.contents;
    let key: unknown;
    for (const segment of path) {
      const held = isAlias(node) ? node.resolve(document) : node;
      const next = childOf(held, segment);
      if (next === undefined) {
        return { node, key, isExact: false };
      }
      ({ node, key } = next);
    }
    return { node, key, isExact: true };
  }
  return {
    locate(path) {
      const { node, isExact } = walk(path);
      const start = startOf(node);
      return isExact && start !== undefined ? position(start) : undefined;
    },
    locateNearest(path) {
      const { node, key } = walk(path);
      const start = startOf(key) ?? startOf(node);
      return start === undefined ? label : position(start);
    },
  };
}

function startOf(node: unknown): number | undefined {
  const range: unknown =
    isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}
