import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { describeValue, formatProblems } from '../../src/config/problems.ts';
import { clip, quote } from '../../src/core/echo.ts';
import { OperatorError } from '../../src/core/errors.ts';
import { createFolder, linesOf, packageRoot, problemsOf, userStateDir } from './config-fixture.ts';

test('reports every problem at once, each with its place, what was expected and what was found', () => {
  const yaml = `
port: "80"
prot: 1
services:
  - deployName: a/b
    model: m
    deadlineMs: 5
  - model: [1]
`;
  const lines = linesOf({
    yaml,
    env: { EDGE_INFER_WORKERS: '65', EDGE_INFER_PRT: '1' },
    flags: { 'http.status-codes': 'nice', 'htpp.error-detail': 'code' },
  });
  expect(lines.sort()).toEqual(
    [
      'port (edge-infer.yaml:2:7): expected a whole number from 0 to 65535, found "80"',
      'prot (edge-infer.yaml:3:1): expected one of host, port, admin, stateDir, modelsDir, license, variant, device, imaging, workers, threads, deadlineMs, queue, services, http, drainTimeoutMs, log, found the unknown key "prot"; did you mean "port"?',
      'services[0].deployName (edge-infer.yaml:5:17): expected text of 1 to 64 characters without / \\ ? # %, control characters or spaces at its ends, and not "." or "..", found "a/b"',
      'services[0].deadlineMs (edge-infer.yaml:7:17): expected a whole number from 10 to 600000, found 5',
      'services[1].deployName (edge-infer.yaml:8:5): expected text of 1 to 64 characters without / \\ ? # %, control characters or spaces at its ends, and not "." or "..", found nothing',
      "services[1].model (edge-infer.yaml:8:12): expected a folder's name under modelsDir, or a path, found a list of 1",
      'workers (variable EDGE_INFER_WORKERS): expected "auto" or a whole number from 1 to 64, found 65',
      'variable EDGE_INFER_PRT: expected a variable of this program, found an unknown name; did you mean EDGE_INFER_PORT?',
      'http.statusCodes (flag --http.status-codes): expected "compatible" or "semantic", found "nice"',
      'flag --htpp.error-detail: expected a flag of this program, found an unknown name; did you mean --http.error-detail?',
    ].sort(),
  );
});

test('throws them as one OperatorError of exit CONFIG', () => {
  const cwd = createFolder('port: x\nlog: { level: loud }\n');
  const load = () => loadConfig({ cwd, env: {}, packageRoot, userStateDir });
  expect(load).toThrow(OperatorError);
  expect(load).toThrow(expect.objectContaining({ exit: 'CONFIG' }));
  expect(load).toThrow(/^The configuration has 2 problems:\n {2}port \(.+\n {2}log\.level \(.+$/);
});

describe('an unknown key', () => {
  test.each([
    ['state_dir: x', 'stateDir'],
    ['HTTP: {}', 'http'],
    ['http: { requestTimeout: 1 }', 'requestTimeoutMs'],
    ['level: info', 'log.level'],
    ['services: [{deployname: a, model: m}]', 'deployName'],
  ])('in %j is answered with the nearest key %s', (yaml, expected) => {
    const hints = problemsOf({ yaml }).map(({ hint }) => hint);
    expect(hints).toContain(`did you mean "${expected}"?`);
  });

  test('that is near to nothing gets no hint', () => {
    const [problem] = problemsOf({ yaml: 'frobnication: 1' });
    expect(problem).toMatchObject({
      path: 'frobnication',
      found: 'the unknown key "frobnication"',
    });
    expect(problem).not.toHaveProperty('hint');
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'named %s is refused and pollutes nothing',
    (name) => {
      const yaml = `${name}: { polluted: yes }\nhttp: { ${name}: { polluted: yes } }\n`;
      expect(
        problemsOf({ yaml })
          .map(({ path }) => path)
          .sort(),
      ).toEqual([name, `http.${name}`].sort());
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
      const asVariable = `EDGE_INFER_${name}__POLLUTED`;
      expect(
        problemsOf({ env: { [asVariable]: '1' }, flags: { [`${name}.polluted`]: '1' } }),
      ).toHaveLength(2);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );
});

describe('an unknown variable or flag', () => {
  test.each([
    ['EDGE_INFER_HTTP_STATUS_CODES', 'EDGE_INFER_HTTP__STATUS_CODES'],
    ['EDGE_INFER_STATEDIR', 'EDGE_INFER_STATE_DIR'],
    ['EDGE_INFER_SERVICES__3__DEVICES', 'EDGE_INFER_SERVICES__3__DEVICE'],
    ['EDGE_INFER_CONFIGS', 'EDGE_INFER_CONFIG'],
  ])('%s is answered with %s', (name, meant) => {
    expect(problemsOf({ env: { [name]: 'x' } })).toMatchObject([
      { source: `variable ${name}`, hint: `did you mean ${meant}?` },
    ]);
  });

  test.each([
    ['http.status', '--http.status-codes'],
    ['http-status-codes', '--http.status-codes'],
    ['services.1.devise', '--services.1.device'],
  ])('--%s is answered with %s', (name, meant) => {
    expect(problemsOf({ flags: { [name]: 'x' } })).toMatchObject([
      { source: `flag --${name}`, hint: `did you mean ${meant}?` },
    ]);
  });

  test('of another program is left alone', () => {
    expect(() =>
      loadConfig({
        cwd: createFolder(),
        packageRoot,
        userStateDir,
        env: { EDGE_PORT: 'x', PORT: 'x' },
      }),
    ).not.toThrow();
  });

  test.each([
    { EDGE_INFER_PORT: 'tcp://10.43.0.7:24401' },
    { EDGE_INFER_SERVICE_HOST: '10.43.0.7' },
    { EDGE_INFER_PORT_24401_TCP_ADDR: '10.43.0.7' },
  ])('that Kubernetes has set, as in %j, is answered with how to stop it', (env) => {
    expect(problemsOf({ env })).toMatchObject([
      { hint: expect.stringContaining('enableServiceLinks') },
    ]);
  });
});

describe('a variable or flag that does not fit the list', () => {
  test('beyond its end names the index that would', () => {
    expect(problemsOf({ flags: { 'services.2.model': 'm' } })).toMatchObject([
      {
        path: 'services[2].model',
        expected: 'an index from 0 to 1 (services has 1 so far)',
        found: '"2"',
      },
    ]);
  });

  test.each(['services', 'services.0', 'services.0.queue', 'http'])(
    '--%s alone asks for one of its values',
    (name) => {
      expect(problemsOf({ flags: { [name]: 'x' } })).toMatchObject([
        { source: `flag --${name}`, expected: expect.stringContaining(`such as --${name}.`) },
      ]);
    },
  );

  test.each(['services.00.model', 'services.-1.model', 'services.x.model', 'services.99999.model'])(
    '--%s is no flag',
    (name) => {
      expect(problemsOf({ flags: { [name]: 'x' } })).toMatchObject([{ found: 'an unknown name' }]);
    },
  );

  test('begun by a variable is missing what the variable does not give', () => {
    expect(problemsOf({ env: { EDGE_INFER_SERVICES__1__MODEL: 'm' } })).toMatchObject([
      {
        path: 'services[1].deployName',
        source: 'variable EDGE_INFER_SERVICES__1__MODEL',
        found: 'nothing',
      },
    ]);
  });

  test('does not hide that the file holds no list', () => {
    expect(problemsOf({ yaml: 'services: 5', flags: { 'services.0.model': 'm' } })).toMatchObject([
      {
        path: 'services',
        source: 'edge-infer.yaml:1:11',
        expected: 'a list of 1 to 64 services',
        found: '5',
      },
    ]);
  });
});

describe('keys that must agree', () => {
  test.each([
    ['port: 24402', 'edge-infer.yaml:1:7'],
    ['admin: { port: 24401 }', 'edge-infer.yaml:1:16'],
    ['{ host: 0.0.0.0, port: 5, admin: { port: 5 } }', 'edge-infer.yaml:1:42'],
  ])('%j puts both listeners on one port', (yaml, source) => {
    expect(problemsOf({ yaml })).toMatchObject([
      { path: 'admin.port', source, expected: expect.stringContaining('a port other than') },
    ]);
  });

  test.each(['{ port: 0, admin: { port: 0 } }', '{ port: 5, admin: { host: 10.0.0.1, port: 5 } }'])(
    '%j is accepted',
    (yaml) => {
      expect(() =>
        loadConfig({ cwd: createFolder(yaml), env: {}, packageRoot, userStateDir }),
      ).not.toThrow();
    },
  );

  test('a whole request may not be given less time than its headers', () => {
    expect(problemsOf({ flags: { 'http.headers-timeout-ms': '30001' } })).toMatchObject([
      { path: 'http.requestTimeoutMs', source: 'flag --http.headers-timeout-ms', found: '30000' },
    ]);
  });

  test('names of services may not repeat, even when other keys are wrong', () => {
    const yaml = `
port: x
services:
  - { deployName: é, model: m, workers: none }
  - { deployName: b, model: m }
  - { deployName: "e\\u0301", model: m }
  - 7
`;
    expect(linesOf({ yaml })).toContainEqual(
      expect.stringMatching(
        /^services\[2\]\.deployName \(edge-infer\.yaml:6:19\): expected a name of its own \(services\[0\] has this one\), found/,
      ),
    );
  });

  test('an invalid value does not also fail the check of several keys', () => {
    for (const yaml of ['http: { requestTimeoutMs: 5 }', 'http: 5', 'admin: []', 'services: []']) {
      expect(problemsOf({ yaml })).toHaveLength(1);
    }
  });
});

test('asks for quotes where YAML reads a name as a number', () => {
  expect(problemsOf({ yaml: 'services: [{ deployName: 2024, model: m }]' })).toMatchObject([
    { path: 'services[0].deployName', found: '2024', hint: 'put it in quotes' },
  ]);
});

describe('what is echoed', () => {
  const secret = `${'s'.repeat(59)}ECRET`;

  test('is at most 60 characters of a value, a key, a variable or a flag', () => {
    const lines = linesOf({
      yaml: `port: ${secret}\n${'k'.repeat(59)}ZZEND: 1\n`,
      env: {
        EDGE_INFER_DEVICE: secret,
        [`EDGE_INFER_${'V'.repeat(60)}ZZEND`]: 'x',
        EDGE_INFER_HTTP: secret,
      },
      flags: { workers: secret, [`${'f'.repeat(60)}ZZEND`]: 'x', config: 'edge-infer.yaml' },
    });
    expect(lines).toHaveLength(7);
    expect(lines.join('\n')).not.toMatch(/ECRET|ZZEND/);
    expect(lines.join('\n')).toContain(`found "${'s'.repeat(59)}…"`);
  });

  test('stays on one line', () => {
    expect(quote('a\n\u001b[31mb\u2028')).toBe('"a [31mb "');
    expect(clip('a\r\nb')).toBe('a b');
  });

  test.each([
    [null, 'nothing'],
    [[], 'an empty list'],
    [[1, 2], 'a list of 2'],
    [{ a: 1 }, 'keys with values'],
    [true, 'true'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('describes %j as %s', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  test('is cut off after 50 problems', () => {
    const yaml = Array.from({ length: 60 }, (_, index) => `key${index}zzzzzz: 1`).join('\n');
    const text = formatProblems(problemsOf({ yaml }));
    expect(text.split('\n')).toHaveLength(52);
    expect(text).toMatch(/^The configuration has 60 problems:[\s\S]*\n {2}and 10 more$/);
  });
});
