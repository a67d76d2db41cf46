import { describe, expect, test } from 'vitest';
import { describeKeys, listValues } from '../../src/config/keys.ts';
import { displayPath, flagName } from '../../src/config/names.ts';
import { parseBytes } from '../../src/config/values.ts';
import { configOf, problemsOf } from './config-fixture.ts';

const wholeNumbers: Readonly<Record<string, readonly [number, number]>> = {
  port: [0, 65_535],
  'admin.port': [0, 65_535],
  deadlineMs: [10, 600_000],
  'queue.maxRequests': [1, 100_000],
  'queue.maxBytes': [1024, 64 * 1024 ** 3],
  'services[0].deadlineMs': [10, 600_000],
  'services[0].queue.maxRequests': [1, 100_000],
  'services[0].queue.maxBytes': [1024, 64 * 1024 ** 3],
  'http.headersTimeoutMs': [100, 600_000],
  'http.requestTimeoutMs': [100, 3_600_000],
  'http.keepAliveTimeoutMs': [100, 3_600_000],
  'http.maxConnections': [1, 65_535],
  drainTimeoutMs: [0, 600_000],
  workers: [1, 64],
  threads: [1, 64],
  'services[0].threads': [1, 64],
  'services[0].workers': [1, 64],
};

const choices: Readonly<Record<string, readonly string[]>> = {
  device: ['auto', 'cpu', 'cuda'],
  imaging: ['auto', 'native', 'portable'],
  'services[0].device': ['auto', 'cpu', 'cuda'],
  variant: ['auto', 'float32', 'int8'],
  'services[0].variant': ['auto', 'float32', 'int8'],
  workers: ['auto'],
  threads: ['auto'],
  'services[0].threads': ['auto'],
  'services[0].workers': ['auto'],
  'http.statusCodes': ['compatible', 'semantic'],
  'http.errorDetail': ['full', 'code'],
  'log.level': ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  'log.format': ['auto', 'json', 'text'],
};

const texts: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
  host: {
    good: ['0.0.0.0', '::', 'fe80::1%eth0', 'localhost', 'edge-7.plant.example', 'edge_infer'],
    bad: ['', '127.0.0.1:80', '999.1.1.1', '1.2.3', 'a b', '-a', 'http://a', `${'a'.repeat(254)}`],
  },
  'admin.host': { good: ['0.0.0.0', '::1'], bad: ['', 'a/b'] },
  stateDir: { good: ['/var/lib/edge-infer', 'a b'], bad: ['', 'a\0b', 'x'.repeat(4097)] },
  modelsDir: { good: ['/srv/models'], bad: ['', 'a\0b'] },
  'license.dir': { good: ['/etc/edge-infer/licenses'], bad: ['', 'a\0b'] },
  'license.recordsDir': { good: ['/var/lib/edge-infer-record'], bad: ['', 'a\0b'] },
  'services[0].model': { good: ['7', 'a:b', '/srv/m'], bad: ['', 'a\0b'] },
  'services[0].language': { good: ['en', 'zh-Hans'], bad: ['', 'e', 'x'.repeat(36)] },
  'services[0].deployName': {
    good: ['a', '花卉识别', 'a b', 'v1.2:cpu', 'x'.repeat(64), '𠮷'.repeat(64), '...'],
    bad: ['', '.', '..', 'a/b', 'a\\b', 'a?b', 'a#b', 'a%20b', 'a\nb', ' a', 'a ', 'x'.repeat(65)],
  },
  'http.corsOrigin': {
    good: [
      '*',
      'none',
      'https://panel.example',
      'http://10.0.0.7:8080',
      'http://[::1]:80'.slice(0, 12),
    ],
    bad: ['', 'panel.example', 'https://panel.example/', 'https://a/b', 'ftp://a', 'null', '**'],
  },
};

/** `services[0].x` -> flag, with the timeouts and ports that would make another check fail moved away. */
function flagsFor(path: string, value: string): Record<string, string> {
  const flag = flagName(path.replaceAll('[', '.').replaceAll(']', '').split('.'));
  const room: Record<string, string> =
    path === 'http.requestTimeoutMs'
      ? { 'http.headers-timeout-ms': '100' }
      : path === 'http.headersTimeoutMs'
        ? { 'http.request-timeout-ms': '3600000' }
        : {};
  return { ...room, [flag]: value };
}

function effectiveValue(path: string, value: string): unknown {
  const segments = path.replaceAll('[', '.').replaceAll(']', '').split('.');
  let held: unknown = configOf({ flags: flagsFor(path, value) });
  for (const segment of segments) {
    held = (held as Record<string, unknown>)[segment];
  }
  return held;
}

test('covers every key of the schema', () => {
  const covered = new Set([
    ...Object.keys(wholeNumbers),
    ...Object.keys(choices),
    ...Object.keys(texts),
  ]);
  const all = listValues(describeKeys(), 0).map(({ path }) => displayPath(path));
  expect(all.filter((path) => !covered.has(path))).toEqual([]);
});

describe.each(Object.entries(wholeNumbers))('%s', (path, [lowest, highest]) => {
  test('accepts its lowest and highest number', () => {
    expect(effectiveValue(path, String(lowest))).toBe(lowest);
    expect(effectiveValue(path, String(highest))).toBe(highest);
  });

  // Sizes may have decimals, which are rounded to whole bytes.
  const fraction = path.endsWith('maxBytes') ? [] : [`${lowest + 1}.5`];

  test.each([String(lowest - 1), String(highest + 1), ...fraction, '0x10', '1e3', 'many'])(
    'refuses %s',
    (text) => {
      const problems = problemsOf({ flags: flagsFor(path, text) });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({
        path,
        source: `flag --${Object.keys(flagsFor(path, text)).at(-1)}`,
        expected: expect.stringContaining('whole number'),
      });
      expect(problems[0]?.found).toContain(text);
    },
  );
});

describe.each(Object.entries(choices))('%s', (path, words) => {
  test.each(words)('accepts %s', (word) => {
    expect(effectiveValue(path, word)).toBe(word);
  });

  test.each(['', 'AUTO', 'other'])('refuses "%s" and lists what it accepts', (word) => {
    const [problem, ...others] = problemsOf({ flags: flagsFor(path, word) });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ path, found: `"${word}"` });
    for (const choice of words) {
      expect(problem?.expected).toContain(`"${choice}"`);
    }
  });
});

describe.each(Object.entries(texts))('%s', (path, { good, bad }) => {
  test.each(good)('accepts %j', (text) => {
    expect(String(effectiveValue(path, text))).toContain(text);
  });

  test.each(bad)('refuses %j', (text) => {
    expect(problemsOf({ flags: flagsFor(path, text) })).toMatchObject([{ path }]);
  });
});

test.each([
  ['1024', 1024],
  ['1KiB', 1024],
  ['256MiB', 268_435_456],
  ['256mib', 268_435_456],
  ['1.5 GB', 1_500_000_000],
  ['2kB', 2000],
  ['10 B', 10],
  ['', undefined],
  ['MiB', undefined],
  ['-1MiB', undefined],
  ['1 TiB', undefined],
  ['1  MiB', undefined],
  ['1ib', undefined],
])('reads the size %j as %j bytes', (text, expected) => {
  expect(parseBytes(text)).toBe(expected);
});

test('reads a size with a unit from the file and from a variable', () => {
  const { queue, services } = configOf({
    yaml: 'queue: { maxBytes: 64MiB }',
    env: { EDGE_INFER_SERVICES__0__QUEUE__MAX_BYTES: '2 MiB' },
  });
  expect([queue.maxBytes, services[0]?.queue.maxBytes]).toEqual([67_108_864, 2_097_152]);
});
