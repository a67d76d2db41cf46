import { displayPath } from './names.ts';
import type { Setting } from './settings.ts';
import type { YamlSource } from './yaml.ts';

type OriginKind = 'default' | 'file' | 'variable' | 'flag';

/** Where a value came from. */
export interface Origin {
  readonly kind: OriginKind;
  /** `default`, `edge-infer.yaml:3:7`, `variable EDGE_INFER_PORT` or `flag --port`. */
  readonly source: string;
}

export interface Origins {
  /** Where the value at exactly this path came from. */
  of(path: readonly PropertyKey[]): Origin;
  /** Where a message about this path should point, also when nothing stands there. */
  nearest(path: readonly PropertyKey[]): Origin;
  /** Where the file has this key itself, not its value. */
  ofFileKey(path: readonly PropertyKey[]): Origin;
}

const ranks: Readonly<Record<OriginKind, number>> = { default: 0, file: 1, variable: 2, flag: 3 };

/** Whether `a` counts before `b`: flags, variables, the file, defaults. */
export function outranks(a: Origin, b: Origin): boolean {
  return ranks[a.kind] > ranks[b.kind];
}

export function createOrigins(yaml: YamlSource, settings: readonly Setting[]): Origins {
  const set = new Map<string, Origin>();
  for (const { path, kind, source } of settings) {
    // Last wins, as in merging.
    set.set(displayPath(path), { kind, source });
  }
  const of = (path: readonly PropertyKey[]): Origin => {
    const setting = set.get(displayPath(path));
    if (setting !== undefined) {
      return setting;
    }
    const position = yaml.locate(path);
    return position === undefined
      ? { kind: 'default', source: 'default' }
      : { kind: 'file', source: position };
  };
  const ofFileKey = (path: readonly PropertyKey[]): Origin => ({
    kind: 'file',
    source: yaml.locateNearest(path),
  });
  return {
    of,
    ofFileKey,
    nearest(path) {
      const exact = of(path);
      if (exact.kind !== 'default') {
        return exact;
      }
      const parent = path.slice(0, -1);
      if (parent.length > 0 && yaml.locate(parent) === undefined) {
        // The entry was begun by a variable or a flag, and this key of it is missing.
        const prefix = displayPath(parent);
        const sibling = [...set].find(([key]) => key.startsWith(`${prefix}.`));
        return sibling?.[1] ?? exact;
      }
      return ofFileKey(path);
    },
  };
}
