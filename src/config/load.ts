import { OperatorError } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Environment } from './environment.ts';
import { loadConfigFile, type NamedFile } from './file.ts';
import { describeKeys } from './keys.ts';
import { asValues, mergeSettings } from './merge.ts';
import { CONFIG_FLAG, CONFIG_VARIABLE } from './names.ts';
import { createOrigins, type Origins } from './origins.ts';
import { type ConfigProblem, describeValue, formatProblems, problem } from './problems.ts';
import { resolveConfig } from './resolve.ts';
import { type Config, configSchema } from './schema.ts';
import { type Flags, parseFlags, parseVariables } from './settings.ts';
import { explainIssues } from './validation.ts';
import type { YamlSource } from './yaml.ts';

export interface ConfigSources {
  /** By name without the dashes, `config` among them; counts before everything else. */
  readonly flags?: Flags;
  /** See `readEnvironment`; counts before the file. */
  readonly env: Environment;
  /** Absolute. Relative paths in flags and variables start here, and the default file lies here. */
  readonly cwd: string;
  /** Absolute. The default folders lie here. */
  readonly packageRoot: string;
  /** Absolute. Outlasts the package: the default for the second copy of the licence records. */
  readonly userStateDir: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file that was read; undefined when there is none. */
  readonly file: string | undefined;
  readonly origins: Origins;
}

/**
 * Loads the effective configuration: flags, then variables, then the file, then defaults.
 * Throws an OperatorError (exit CONFIG) whose text lists every problem.
 */
export function loadConfig(sources: ConfigSources): Config {
  return loadConfigWithOrigins(sources).config;
}

/** As `loadConfig`, and tells where each value came from. */
export function loadConfigWithOrigins(sources: ConfigSources): LoadedConfig {
  const loaded = tryLoadConfig(sources);
  if (!loaded.ok) {
    throw new OperatorError('CONFIG', formatProblems(loaded.error));
  }
  return loaded.value;
}

/** As `loadConfigWithOrigins`, with the problems as data. */
export function tryLoadConfig(sources: ConfigSources): Result<LoadedConfig, ConfigProblem[]> {
  const { flags = {}, env } = sources;
  const keys = describeKeys();
  const file = loadConfigFile(sources.cwd, namedFile(flags, env));
  const variables = parseVariables(keys, env);
  const fromFlags = parseFlags(keys, flags);
  const settings = [...variables.settings, ...fromFlags.settings];
  const root = readRoot(file.yaml);
  const merged = mergeSettings(keys, root.values, settings);
  const origins = createOrigins(file.yaml, settings);
  const parsed = configSchema.safeParse(merged.values);
  const problems = [
    ...file.problems,
    ...root.problems,
    ...(parsed.success
      ? []
      : explainIssues(parsed.error.issues, { keys, values: merged.values, origins })),
    ...variables.problems,
    ...fromFlags.problems,
    ...merged.problems,
  ];
  if (!parsed.success || problems.length > 0) {
    return err(problems);
  }
  const config = resolveConfig(parsed.data, { ...sources, keys, origins, file: file.path });
  return ok({ config, file: file.path, origins });
}

function namedFile(flags: Flags, env: Environment): NamedFile | undefined {
  const flag = flags[CONFIG_FLAG];
  if (flag !== undefined) {
    return { path: flag, source: `flag --${CONFIG_FLAG}` };
  }
  const variable = env[CONFIG_VARIABLE];
  return variable ? { path: variable, source: `variable ${CONFIG_VARIABLE}` } : undefined;
}

function readRoot(yaml: YamlSource): {
  values: Record<string, unknown>;
  problems: ConfigProblem[];
} {
  const values = asValues(yaml.root ?? {});
  if (values !== undefined) {
    return { values, problems: [] };
  }
  const wrongRoot = problem([], yaml.locateNearest([]), {
    expected: 'keys with values, such as "port: 24401"',
    found: describeValue(yaml.root),
  });
  return { values: {}, problems: [wrongRoot] };
}
