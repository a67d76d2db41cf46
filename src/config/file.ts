import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { clip } from '../core/echo.ts';
import { type ConfigProblem, problem } from './problems.ts';
import { emptyYaml, parseYaml, type YamlSource } from './yaml.ts';

const DEFAULT_CONFIG_FILE = 'edge-infer.yaml';
const MAX_FILE_BYTES = 1024 * 1024;

export interface ConfigFile {
  /** Absolute; undefined when there is no file. */
  readonly path: string | undefined;
  readonly yaml: YamlSource;
  readonly problems: readonly ConfigProblem[];
}

/** Where the path of the file came from: a missing file is a mistake only when it was named. */
export interface NamedFile {
  readonly path: string;
  readonly source: string;
}

/** Reads the named file, or the default one of `cwd` if it exists. Never throws. */
export function loadConfigFile(cwd: string, named: NamedFile | undefined): ConfigFile {
  const path = resolve(cwd, named?.path ?? DEFAULT_CONFIG_FILE);
  const label = displayFile(cwd, path);
  const text = readLimited(path);
  if (!('refusal' in text)) {
    return { path, ...parseYaml(text.text, label) };
  }
  if (named === undefined && text.isMissing) {
    return { path: undefined, yaml: emptyYaml(label), problems: [] };
  }
  const refused = problem([], named?.source ?? label, {
    expected: `a YAML file that can be read at ${label}`,
    found: text.refusal,
  });
  return { path, yaml: emptyYaml(label), problems: [refused] };
}

type ReadOutcome =
  | { readonly text: string }
  | { readonly refusal: string; readonly isMissing: boolean };

function readLimited(path: string): ReadOutcome {
  const refuse = (refusal: string, isMissing = false) => ({ refusal, isMissing });
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a pipe that nobody writes to would hang.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    return refuse(describeCode(code), code === 'ENOENT');
  }
  try {
    const stats = fstatSync(descriptor);
    // /dev/null is the usual way to say "no file".
    if (!stats.isFile() && !stats.isCharacterDevice()) {
      return refuse(stats.isDirectory() ? 'a folder' : 'something that is not a file');
    }
    // One byte over the limit is enough to tell, also for files that report no size.
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    const length = readFully(descriptor, bytes);
    if (length > MAX_FILE_BYTES) {
      return refuse('a file of more than 1 MiB');
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)) };
  } catch (error) {
    return refuse(
      error instanceof TypeError ? 'bytes that are not UTF-8' : describeCode(codeOf(error)),
    );
  } finally {
    closeSync(descriptor);
  }
}

function readFully(descriptor: number, bytes: Buffer): number {
  let length = 0;
  for (;;) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    length += count;
    if (count === 0 || length === bytes.length) {
      return length;
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function describeCode(code: string): string {
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    ENOTDIR: 'no such file',
    EACCES: 'a file that this user may not read',
    EPERM: 'a file that this user may not read',
    EISDIR: 'a folder',
    ENXIO: 'something that is not a file',
  };
  return texts[code] ?? clip(`an error when reading (${code})`);
}

function displayFile(cwd: string, path: string): string {
  const fromCwd = relative(cwd, path);
  // A service's own folder is the root, where a path from it only looks wrong.
  return cwd === sep || fromCwd === '..' || fromCwd.startsWith(`..${sep}`) || fromCwd === ''
    ? path
    : fromCwd;
}
