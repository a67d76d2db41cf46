import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { clip, quote } from '../core/echo.ts';
import { type ConfigProblem, problem } from './problems.ts';
import { createLocator, type Position, type YamlLocator } from './yaml-locator.ts';

/** A parsed file: its values, and where in the text each of them stands. */
export interface YamlSource extends YamlLocator {
  /** Undefined for an empty file. */
  readonly root: unknown;
  /** The file's name in messages. */
  readonly label: string;
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
  let aliases = 0;
  visit(document, {
    Alias(_key, alias) {
      aliases += 1;
      if (aliases > MAX_ALIASES) {
        // Resolving one searches the document, so thousands of them would take minutes.
        problems.push(
          problem([], position(alias.range?.[0] ?? 0), {
            expected: `at most ${MAX_ALIASES} aliases`,
            found: 'one more',
          }),
        );
        return visit.BREAK;
      }
      if (alias.resolve(document) === undefined) {
        problems.push(
          problem([], position(alias.range?.[0] ?? 0), {
            expected: 'valid YAML',
            found: `an alias of nothing, ${quote(`*${alias.source}`)}`,
          }),
        );
      }
      return undefined;
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
