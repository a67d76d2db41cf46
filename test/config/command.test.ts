import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createConfigCommand } from '../../src/cli/commands/config.ts';
import { addConfigOptions, readConfigSources } from '../../src/cli/config-options.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { configFlags } from '../../src/config/flags.ts';
import { describeKeys, keyAt, listValues } from '../../src/config/keys.ts';
import { displayPath, flagName, variableName } from '../../src/config/names.ts';
import { exampleYaml, formatReference } from '../../src/config/reference.ts';
import { configOf, createFolder } from './config-fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function run(cwd: string, ...args: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process, 'cwd').mockReturnValue(cwd);
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  try {
    await createConfigCommand().parseAsync(args, { from: 'user' });
  } finally {
    vi.mocked(process.stdout.write).mockRestore();
  }
  return written.join('');
}

describe('config show', () => {
  test('prints each value with its source, as a file that loads to the same again', async () => {
    vi.stubEnv('EDGE_INFER_DEADLINE_MS', '250');
    const cwd = createFolder(
      'log: { level: warn }\nservices:\n  - { deployName: "7", model: ./m, workers: 3 }\n',
    );
    const flags = [
      '--http.status-codes',
      'semantic',
      '--services.0.device=cpu',
      '--state-dir',
      's',
    ];
    const yaml = await run(cwd, 'show', ...flags);
    expect(yaml).toContain(`# file: ${join(cwd, 'edge-infer.yaml')}\n`);
    expect(yaml).toContain('port: 24401 # default\n');
    expect(yaml).toContain(`stateDir: ${join(cwd, 's')} # flag --state-dir\n`);
    expect(yaml).toContain('level: warn # edge-infer.yaml:1:15\n');
    expect(yaml).toContain('statusCodes: semantic # flag --http.status-codes\n');
    expect(yaml).toContain('deployName: "7" # edge-infer.yaml:3:19\n');
    expect(yaml).toContain('device: cpu # flag --services.0.device\n');
    expect(yaml).toContain('workers: 3 # edge-infer.yaml:3:45\n');
    expect(yaml.match(/deadlineMs: 250 # variable EDGE_INFER_DEADLINE_MS\n/g)).toHaveLength(2);
    expect(configOf({ yaml })).toEqual(parse(yaml));
  });

  test('prints JSON with the sources on request', async () => {
    const cwd = createFolder('port: 9');
    const shown: unknown = JSON.parse(await run(cwd, 'show', '--json'));
    expect(shown).toMatchObject({
      file: join(cwd, 'edge-infer.yaml'),
      config: { port: 9, services: [{ deployName: 'imagenet' }] },
      sources: { port: 'edge-infer.yaml:1:7', 'services[0].queue.maxBytes': 'default' },
    });
  });
});

describe('config check', () => {
  test('prints OK and what is served', async () => {
    const cwd = createFolder(exampleYaml);
    const text = await run(cwd, 'check');
    expect(text.split('\n')[0]).toBe(`OK: ${join(cwd, 'edge-infer.yaml')}`);
    expect(text).toContain('imagenet-patient');
  });

  test('fails with every problem and exit CONFIG', async () => {
    const cwd = createFolder('port: x');
    const failure = run(cwd, 'check', '--workers', '-1', '--services.0.devise', 'cpu');
    await expect(failure).rejects.toMatchObject({ name: 'OperatorError', exit: 'CONFIG' });
    await expect(failure).rejects.toThrow(
      /3 problems:[\s\S]+port \([\s\S]+--workers[\s\S]+did you mean --services\.0\.device\?/,
    );
  });
});

describe('config reference', () => {
  test('is what src/config/README.md holds (else: config reference > src/config/README.md)', async () => {
    const committed = readFileSync(new URL('../../src/config/README.md', import.meta.url), 'utf8');
    expect(await run('/', 'reference')).toBe(committed);
  });

  test('has a row for every key and flag', () => {
    const text = formatReference();
    for (const { key, path } of listValues(describeKeys(), 0)) {
      const name = displayPath(path).replace('[0]', '[]');
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
      expect(row).toContain(`\`${variableName(path)}\``);
      expect(row).toContain(`\`--${flagName(path)}\``);
      expect(row).toContain(key.expected);
      expect(row).toContain(`| ${key.help.help} `);
      expect(key.help.help).toMatch(/^[^\n]{10,200}\.$/);
    }
  });

  test('shows an example that loads', () => {
    const example = /```yaml\n([\s\S]+?)```/.exec(formatReference())?.[1] ?? '';
    const cwd = createFolder(example);
    expect(configOf({ cwd })).toMatchObject({
      host: '0.0.0.0',
      queue: { maxRequests: 128, maxBytes: 268_435_456 },
      services: [
        { deployName: 'imagenet', model: 'efficientnet-lite0', deadlineMs: 5000 },
        {
          deployName: 'imagenet-patient',
          model: 'efficientnet-lite0',
          workers: 2,
        },
      ],
    });
  });
});

describe('the options of a command', () => {
  test('list the common flags and accept all others', () => {
    const help = addConfigOptions(new Command('serve')).helpInformation();
    expect(help).toContain('--state-dir <value>');
    expect(help).not.toContain('--http.cors-origin');
    expect(configFlags().filter(({ isCommon }) => isCommon)).toHaveLength(11);
  });

  test('give loadConfig only what was given, and no option of the command itself', () => {
    const command = addConfigOptions(new Command('serve'))
      .argument('[image]')
      .option('--json')
      .option('--mode <x>', '', 'y');
    command.parse(
      ['--json', '--admin.port', '0', '--services.12.deploy-name', 'x', '--', '--a.b'],
      { from: 'user' },
    );
    expect(readConfigSources(command).flags).toEqual({
      'admin.port': '0',
      'services.12.deploy-name': 'x',
    });
  });

  test('name a package root that holds the program', () => {
    const { packageRoot } = readConfigSources(addConfigOptions(new Command('serve')));
    const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'edge-infer' });
  });

  test('work below a program with other commands', () => {
    const served: unknown[] = [];
    const serve = addConfigOptions(new Command('serve')).action((_options, command: Command) => {
      served.push(readConfigSources(command).flags);
    });
    const program = new Command('edge-infer').addCommand(serve);
    program.parse(['serve', '--services.0.device', 'cpu', '--port=0'], { from: 'user' });
    expect(served).toEqual([{ port: '0', 'services.0.device': 'cpu' }]);
  });
});

test('the environment holds only the variables of this program', () => {
  expect(readEnvironment({ EDGE_INFER_PORT: '1', PATH: '/bin', EDGE_INFERX: '1' })).toEqual({
    EDGE_INFER_PORT: '1',
  });
  vi.stubEnv('EDGE_INFER_PORT', '77');
  expect(readEnvironment()).toMatchObject({ EDGE_INFER_PORT: '77' });
});

describe('keys read off a schema', () => {
  test('parse text as the type that the schema wants', () => {
    const keys = describeKeys(z.strictObject({ flag: z.boolean().default(false) }));
    const key = keyAt(keys, ['flag']);
    expect(key).toMatchObject({ kind: 'value', expected: 'true or false', defaultValue: false });
    const parseText = key?.kind === 'value' ? key.parseText : String;
    expect(['true', 'false', 'yes'].map(parseText)).toEqual([true, false, 'yes']);
  });

  test('refuse a type without words for it, and a schema that is no object', () => {
    expect(() => describeKeys(z.strictObject({ when: z.date() }))).toThrow(
      'says nowhere what a date accepts',
    );
    expect(() => describeKeys(z.array(z.int()))).toThrow('must be an object');
  });
});

test('a saved configuration can be shown, saved and loaded', async () => {
  const cwd = createFolder();
  const first = await run(cwd, 'show');
  writeFileSync(join(cwd, 'edge-infer.yaml'), first);
  expect(parse(await run(cwd, 'show'))).toEqual(parse(first));
});
