import { describeKeys, type KeyPath, listValues, type ValueKey } from './keys.ts';
import { CONFIG_FLAG, flagName } from './names.ts';

/** A flag for the command line's help. */
export interface ConfigFlag {
  /** Without the dashes: `state-dir`. */
  readonly name: string;
  readonly description: string;
  /** Worth a line in `--help`; the others stand in `config reference`. */
  readonly isCommon: boolean;
}

/** The flags of every key outside lists, `--config` first. */
export function configFlags(): ConfigFlag[] {
  const configFlag = {
    name: CONFIG_FLAG,
    description: 'The YAML file (default: ./edge-infer.yaml, if there is one)',
    isCommon: true,
  };
  const keys = listValues(describeKeys(), 0).filter(({ path }) => !isInList(path));
  return [
    configFlag,
    ...keys.map(({ path, key }) => ({
      name: flagName(path),
      description:
        `${key.help.help.replace(/\.$/, '')} (${key.expected}; default: ${defaultText(key)})`.replaceAll(
          '`',
          '',
        ),
      isCommon: key.help.common === true,
    })),
  ];
}

/**
 * The flags with a dot among the arguments. Those of a list's entries, such as
 * `services.0.device`, cannot be listed beforehand, since a list has any length; a mistyped one is
 * left to `loadConfig`, which knows what was meant.
 */
export function findDottedFlags(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const names = args
    .slice(0, end === -1 ? args.length : end)
    .flatMap((arg) => /^--([a-z][\w-]*(?:\.[\w-]+)+)(?:=|$)/i.exec(arg)?.[1] ?? []);
  return [...new Set(names)];
}

/** A key's default as one would write it in the file; empty when it has none. */
export function defaultText({ help, defaultValue }: ValueKey): string {
  return help.defaultText ?? (defaultValue === undefined ? '' : String(defaultValue));
}

function isInList(path: KeyPath): boolean {
  return path.some((segment) => typeof segment === 'number');
}
