import { clip, quote } from '../core/echo.ts';
import type { Environment } from './environment.ts';
import { type KeyPath, keyAt, listValues, type SectionKey } from './keys.ts';
import {
  CONFIG_FLAG,
  CONFIG_VARIABLE,
  flagName,
  nearestName,
  pathOfFlag,
  pathOfVariable,
  VARIABLE_PREFIX,
  VENDOR_PREFIX,
  variableName,
} from './names.ts';
import { type ConfigProblem, problem } from './problems.ts';

/** One key set by a variable or a flag. */
export interface Setting {
  readonly path: KeyPath;
  readonly value: unknown;
  readonly kind: 'variable' | 'flag';
  /** `variable EDGE_INFER_PORT` or `flag --port`. */
  readonly source: string;
}

export interface Settings {
  readonly settings: readonly Setting[];
  readonly problems: readonly ConfigProblem[];
}

/** Flags by name without the dashes: `state-dir` or `stateDir`, `services.0.device`. */
export type Flags = Readonly<Record<string, string>>;

/** Reads every `EDGE_INFER_*` variable. An empty one counts as not set, as in compose files. */
export function parseVariables(keys: SectionKey, env: Environment): Settings {
  const given = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith(VARIABLE_PREFIX) &&
      !entry[0].startsWith(VENDOR_PREFIX) &&
      entry[0] !== CONFIG_VARIABLE &&
      !!entry[1],
  );
  return parseAll(keys, given, {
    kind: 'variable',
    pathOf: (name) => pathOfVariable(keys, name),
    display: clip,
    spell: variableName,
    others: [CONFIG_VARIABLE],
  });
}

/** Reads every flag but `--config`. */
export function parseFlags(keys: SectionKey, flags: Flags): Settings {
  const given = Object.entries(flags).filter(([name]) => name !== CONFIG_FLAG);
  return parseAll(keys, given, {
    kind: 'flag',
    pathOf: (name) => pathOfFlag(keys, name),
    display: (name) => `--${clip(flagName(name.split('.')))}`,
    spell: (path) => `--${flagName(path)}`,
    others: [`--${CONFIG_FLAG}`],
  });
}

interface Spelling {
  readonly kind: 'variable' | 'flag';
  readonly pathOf: (name: string) => KeyPath | undefined;
  readonly display: (name: string) => string;
  readonly spell: (path: KeyPath) => string;
  readonly others: readonly string[];
}

function parseAll(
  keys: SectionKey,
  given: readonly (readonly [string, string])[],
  spelling: Spelling,
): Settings {
  const settings: Setting[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, text] of given) {
    const source = `${spelling.kind} ${spelling.display(name)}`;
    const path = spelling.pathOf(name);
    const key = path === undefined ? undefined : keyAt(keys, path);
    if (path === undefined || key === undefined) {
      problems.push(unknownName(keys, name, source, spelling));
    } else if (key.kind !== 'value') {
      const index = /\d+/.exec(name)?.[0] ?? '0';
      const examples = listValues(key, Number(index), path).slice(0, 3);
      problems.push(
        problem(path, source, {
          expected: `one of its values, such as ${examples.map((each) => spelling.spell(each.path)).join(', ')}`,
          found: quote(text),
        }),
      );
    } else {
      settings.push({ path, value: key.parseText(text), kind: spelling.kind, source });
    }
  }
  return { settings, problems };
}

// Kubernetes and Docker links set these for a service that is itself named "edge-infer".
const SET_BY_AN_ORCHESTRATOR = /^EDGE_INFER_(SERVICE_(HOST|PORT)|(\w+_)?PORT_\d+_(TCP|UDP))/;

/** What to do about a variable that an orchestrator, not a person, has probably set. */
export function orchestratorHint(name: string, value: unknown): string | undefined {
  const looksLikeALink = typeof value === 'string' && /^(tcp|udp):\/\//.test(value);
  return looksLikeALink || SET_BY_AN_ORCHESTRATOR.test(name)
    ? 'Kubernetes sets it for a service named edge-infer: use "enableServiceLinks: false"'
    : undefined;
}

function unknownName(
  keys: SectionKey,
  name: string,
  source: string,
  spelling: Spelling,
): ConfigProblem {
  const index = /\d+/.exec(name)?.[0].slice(0, 4) ?? '0';
  const names = listValues(keys, Number(index)).map(({ path }) => spelling.spell(path));
  // The shared prefix would make every variable look near.
  const start = spelling.kind === 'variable' ? VARIABLE_PREFIX.length : 0;
  const nearest = nearestName(
    name.slice(start),
    [...names, ...spelling.others].map((each) => each.slice(start)),
  );
  const hint =
    nearest === undefined
      ? 'see "config reference"'
      : `did you mean ${spelling.kind === 'variable' ? VARIABLE_PREFIX : ''}${nearest}?`;
  return problem([], source, {
    expected: `a ${spelling.kind} of this program`,
    found: 'an unknown name',
    hint: (spelling.kind === 'variable' ? orchestratorHint(name, undefined) : undefined) ?? hint,
  });
}
