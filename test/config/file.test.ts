import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tryLoadConfig } from '../../src/config/load.ts';
import {
  configOf,
  createFolder,
  linesOf,
  packageRoot,
  problemsOf,
  userStateDir,
} from './config-fixture.ts';

const NOBODY = 65_534;

/** Root may read everything, so it becomes somebody else for as long as `action` runs. */
function asOrdinaryUser<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) {
    return action();
  }
  process.seteuid?.(NOBODY);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

describe('YAML mistakes', () => {
  test.each([
    ['port: 1\nhost: [a', 'edge-infer.yaml:2:9', 'valid YAML'],
    ['a: b: c', 'edge-infer.yaml:1:4', 'valid YAML'],
    ['http:\n\tstatusCodes: compatible', 'edge-infer.yaml:2:1', 'valid YAML'],
    ['port: "1', 'edge-infer.yaml:1:9', 'valid YAML'],
    ['port: !!js/function 1', 'edge-infer.yaml:1:7', 'valid YAML'],
    ['port: *nowhere', 'edge-infer.yaml:1:7', 'valid YAML'],
    ['port: 1\n---\nport: 2\n', 'edge-infer.yaml:2:1', 'one YAML document'],
    ['just words', 'edge-infer.yaml:1:1', 'keys with values, such as "port: 24401"'],
    ['- port: 1', 'edge-infer.yaml:1:1', 'keys with values, such as "port: 24401"'],
    ['42', 'edge-infer.yaml:1:1', 'keys with values, such as "port: 24401"'],
  ])('%j is refused at %s', (yaml, source, expected) => {
    const problems = problemsOf({ yaml });
    expect(problems[0]).toMatchObject({ path: '', source, expected });
  });

  test('a key given twice is refused with both places', () => {
    expect(linesOf({ yaml: 'port: 1\nlog:\n  level: info\n  level: warn\nport: 2\n' })).toEqual([
      'edge-infer.yaml:5:1: expected each key once, found "port" again; it stands at edge-infer.yaml:1:1 already',
      'edge-infer.yaml:4:3: expected each key once, found "level" again; it stands at edge-infer.yaml:3:3 already',
    ]);
  });

  test('in the file do not hide those of variables and flags', () => {
    const problems = problemsOf({
      yaml: 'a: b: c',
      env: { EDGE_INFER_PORT: 'x' },
      flags: { workers: '0' },
    });
    expect(problems.map(({ source }) => source)).toEqual(
      expect.arrayContaining(['variable EDGE_INFER_PORT', 'flag --workers']),
    );
  });

  test('aliases of aliases do not become a billion values', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let code = 98; code < 106; code += 1) {
      const [name, before] = [String.fromCharCode(code), String.fromCharCode(code - 1)];
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    expect(problemsOf({ yaml: bomb.join('\n') })).toMatchObject([
      { source: 'edge-infer.yaml', expected: 'a plain YAML file' },
    ]);
  });

  test.each([
    'port: &a [*a]',
    'services: &a [*a]',
    'services: [&a { queue: *a }]',
    '&a http: { *a : 1 }',
  ])('an alias inside of what it names is refused in %j', (yaml) => {
    expect(problemsOf({ yaml }).length).toBeGreaterThan(0);
  });

  test('a very deep document is refused, not a crash', () => {
    expect(problemsOf({ yaml: `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}` })).toMatchObject([
      { source: expect.stringMatching(/^edge-infer\.yaml:1:/), found: 'too deep a nesting' },
    ]);
  });

  test('a byte order mark and Windows line ends are accepted', () => {
    expect(configOf({ yaml: '\u{feff}port: 5\r\nlog:\r\n  level: warn\r\n' })).toMatchObject({
      port: 5,
      log: { level: 'warn' },
    });
  });
});

describe('a file that cannot be read', () => {
  test('is refused when it was named and is missing', () => {
    expect(linesOf({ flags: { config: 'none.yaml' } })).toEqual([
      'flag --config: expected a YAML file that can be read at none.yaml, found no such file',
    ]);
    expect(problemsOf({ env: { EDGE_INFER_CONFIG: 'a/none.yaml' } })).toMatchObject([
      { source: 'variable EDGE_INFER_CONFIG', found: 'no such file' },
    ]);
  });

  test('is refused when it is a folder, also under the default name', () => {
    const cwd = createFolder();
    expect(problemsOf({ cwd, flags: { config: '.' } })).toMatchObject([{ found: 'a folder' }]);
    mkdirSync(join(cwd, 'edge-infer.yaml'));
    expect(problemsOf({ cwd })).toMatchObject([{ source: 'edge-infer.yaml', found: 'a folder' }]);
  });

  test('is refused at once when it is a pipe that nobody writes to', () => {
    const cwd = createFolder();
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(cwd, 'edge-infer.yaml')]);
    expect(problemsOf({ cwd })).toMatchObject([{ found: 'something that is not a file' }]);
  });

  test('is refused with the reason when reading fails', () => {
    // Reading a process's own memory at address 0 is an I/O error for every user.
    expect(problemsOf({ flags: { config: '/proc/self/mem' } })).toMatchObject([
      { source: 'flag --config', found: 'an error when reading (EIO)' },
    ]);
  });

  test('is refused when this user may not read it', () => {
    const cwd = createFolder('port: 1');
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, 'edge-infer.yaml'), 0);
    const problems = asOrdinaryUser(() => problemsOf({ cwd }));
    expect(problems).toMatchObject([{ found: 'a file that this user may not read' }]);
  });

  test('may be /dev/null, which is empty, but no device without an end', () => {
    expect(configOf({ flags: { config: '/dev/null' } }).port).toBe(24_401);
    expect(problemsOf({ flags: { config: '/dev/zero' } })).toMatchObject([
      { found: 'a file of more than 1 MiB' },
    ]);
  });

  test('is refused when it is not UTF-8', () => {
    expect(problemsOf({ yaml: Buffer.from([0x61, 0x3a, 0x20, 0xff]) })).toMatchObject([
      { found: 'bytes that are not UTF-8' },
    ]);
  });

  test('is refused above 1 MiB, and read up to it', () => {
    const filler = `port: 5\n#${'x'.repeat(1024 * 1024 - 9)}`;
    expect(configOf({ yaml: filler }).port).toBe(5);
    expect(problemsOf({ yaml: `${filler}x` })).toMatchObject([
      { found: 'a file of more than 1 MiB' },
    ]);
  });
});

test.each([
  ['unknown keys', (index: number) => `unknown${index}: 1\n`],
  ['repeated keys', () => 'port: 1\n'],
  ['aliases', (index: number) => (index === 0 ? 'a: &a 1\n' : `k${index}: *a\n`)],
  ['documents', () => '---\n'],
  ['wrong services', (index: number) => (index === 0 ? 'services:\n' : '- { device: x }\n')],
  ['syntax errors', () => '}\n'],
])('a file full of %s is answered in seconds, not minutes', (_name, line) => {
  const yaml = Array.from({ length: 40_000 }, (_, index) => line(index)).join('');
  const start = performance.now();
  expect(problemsOf({ yaml }).length).toBeGreaterThan(0);
  expect(performance.now() - start).toBeLessThan(20_000);
});

test('answers any text at all with a configuration or with problems', () => {
  const fragments = fc.constantFrom(
    'port',
    'services',
    'http',
    ':',
    ' ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '"',
    '0',
    '~',
    '!!',
    '#',
    '? ',
    '|',
    'deployName',
    '<<',
  );
  const cwd = createFolder();
  const text = fc.oneof(
    fc.string(),
    fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, text, fc.dictionary(fc.string(), text), (value, name, flags) => {
      const loaded = tryLoadConfig({
        cwd,
        packageRoot,
        userStateDir,
        env: { [`EDGE_INFER_${name}`]: value },
        flags,
      });
      expect(loaded.ok || loaded.error.length > 0).toBe(true);
    }),
    { numRuns: 2000, interruptAfterTimeLimit: 3000 },
  );
  fc.assert(
    fc.property(text, (yaml) => {
      const folder = createFolder(yaml);
      const loaded = tryLoadConfig({ cwd: folder, packageRoot, userStateDir, env: {} });
      expect(
        loaded.ok || loaded.error.every(({ source }) => source.startsWith('edge-infer.yaml')),
      ).toBe(true);
    }),
    { numRuns: 2000, interruptAfterTimeLimit: 3000 },
  );
});
