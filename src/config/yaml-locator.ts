import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';

/** Turns an offset in the text into `edge-infer.yaml:3:7`. */
export type Position = (offset: number) => string;

export interface YamlLocator {
  /** `edge-infer.yaml:3:7` for a value, or undefined when the file does not hold it. */
  locate(path: readonly PropertyKey[]): string | undefined;
  /** The position of the key itself, or else of what encloses it. */
  locateNearest(path: readonly PropertyKey[]): string;
}

interface Child {
  readonly node: unknown;
  readonly key: unknown;
}

/** Answers positions by walking the parsed document, only when a message needs one. */
export function createLocator(document: Document, label: string, position: Position): YamlLocator {
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
