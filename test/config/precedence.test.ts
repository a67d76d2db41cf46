import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configOf, createFolder, loadValid, packageRoot, userStateDir } from './config-fixture.ts';

test('is all defaults without a file', () => {
  const { config, file } = loadValid({});
  expect(file).toBeUndefined();
  expect(config).toEqual({
    host: '127.0.0.1',
    port: 24401,
    admin: { host: '127.0.0.1', port: 24402 },
    stateDir: join(packageRoot, 'state'),
    modelsDir: join(packageRoot, 'models'),
    license: { dir: join(packageRoot, 'state/licenses'), recordsDir: userStateDir },
    variant: 'float32',
    device: 'auto',
    imaging: 'auto',
    workers: 'auto',
    threads: 'auto',
    deadlineMs: 10_000,
    queue: { maxRequests: 256, maxBytes: 268_435_456 },
    services: [
      {
        deployName: 'imagenet',
        model: 'efficientnet-lite0',
        variant: 'float32',
        device: 'auto',
        workers: 'auto',
        threads: 'auto',
        deadlineMs: 10_000,
        queue: { maxRequests: 256, maxBytes: 268_435_456 },
      },
    ],
    http: {
      statusCodes: 'compatible',
      errorDetail: 'full',
      corsOrigin: '*',
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      keepAliveTimeoutMs: 130_000,
      maxConnections: 1024,
    },
    drainTimeoutMs: 20_000,
    log: { level: 'info', format: 'auto' },
  });
});

test.each([
  '',
  '# nothing but a remark\n',
  '---\n',
  '{}',
  'log:\nhttp:\n  # statusCodes: semantic\n',
])('takes the file %j as all defaults', (yaml) => {
  expect(configOf({ yaml })).toEqual(configOf({}));
});

test('counts flags before variables, these before the file, and that before defaults', () => {
  const yaml = 'port: 1\nhost: 10.0.0.1\ndeadlineMs: 100\n';
  const env = { EDGE_INFER_PORT: '2', EDGE_INFER_HOST: '10.0.0.2' };
  const { config, origins } = loadValid({ yaml, env, flags: { port: '3' } });
  expect(config).toMatchObject({ port: 3, host: '10.0.0.2', deadlineMs: 100, workers: 'auto' });
  expect(origins.of(['port'])).toEqual({ kind: 'flag', source: 'flag --port' });
  expect(origins.of(['host'])).toEqual({ kind: 'variable', source: 'variable EDGE_INFER_HOST' });
  expect(origins.of(['deadlineMs'])).toEqual({ kind: 'file', source: 'edge-infer.yaml:3:13' });
  expect(origins.of(['workers'])).toEqual({ kind: 'default', source: 'default' });
});

test('takes an empty variable as not set', () => {
  expect(
    configOf({ yaml: 'port: 1', env: { EDGE_INFER_PORT: '', EDGE_INFER_CONFIG: '' } }).port,
  ).toBe(1);
});

describe('services', () => {
  const yaml = `
device: cpu
deadlineMs: 300
queue: { maxRequests: 9 }
services:
  - { deployName: a, model: m, device: cuda, workers: 2, queue: { maxBytes: 4KiB } }
  - { deployName: 花, model: n, deadlineMs: 700 }
`;

  test('take what they leave out from the top level', () => {
    expect(configOf({ yaml }).services).toEqual([
      {
        deployName: 'a',
        model: 'm',
        variant: 'float32',
        device: 'cuda',
        workers: 2,
        threads: 'auto',
        deadlineMs: 300,
        queue: { maxRequests: 9, maxBytes: 4096 },
      },
      {
        deployName: '花',
        model: 'n',
        variant: 'float32',
        device: 'cpu',
        workers: 'auto',
        threads: 'auto',
        deadlineMs: 700,
        queue: { maxRequests: 9, maxBytes: 268_435_456 },
      },
    ]);
  });

  test('take a top-level flag or variable before what the file says of them', () => {
    const { services } = configOf({
      yaml,
      flags: { device: 'auto' },
      env: { EDGE_INFER_DEADLINE_MS: '50', EDGE_INFER_QUEUE__MAX_BYTES: '1MiB' },
    });
    expect(services).toMatchObject([
      { device: 'auto', deadlineMs: 50, workers: 2, queue: { maxBytes: 1_048_576 } },
      {
        device: 'auto',
        deadlineMs: 50,
        workers: 'auto',
        threads: 'auto',
        queue: { maxBytes: 1_048_576 },
      },
    ]);
  });

  test('take their own flag or variable before a top-level one of the same rank', () => {
    const { services } = configOf({
      yaml,
      flags: { device: 'cpu', 'services.0.device': 'cuda' },
      env: {
        EDGE_INFER_SERVICES__1__DEVICE: 'cuda',
        EDGE_INFER_SERVICES__1__WORKERS: '3',
        EDGE_INFER_WORKERS: '4',
      },
    });
    expect(services).toMatchObject([
      { device: 'cuda', workers: 4 },
      { device: 'cpu', workers: 3 },
    ]);
  });

  test('are added by the index after the last, whatever the order of the variables', () => {
    const env = {
      EDGE_INFER_SERVICES__2__DEPLOY_NAME: 'c',
      EDGE_INFER_SERVICES__2__MODEL: 'm',
      EDGE_INFER_SERVICES__1__MODEL: 'm',
    };
    const { services } = configOf({ env, flags: { 'services.1.deploy-name': 'b' } });
    expect(services.map(({ deployName }) => deployName)).toEqual(['imagenet', 'b', 'c']);
  });

  test('that share a YAML alias are changed one at a time', () => {
    const shared = `
services:
  - { deployName: a, model: m, queue: &q { maxRequests: 5 } }
  - { deployName: b, model: m, queue: *q }
`;
    const { services } = configOf({
      yaml: shared,
      flags: { 'services.0.queue.max-requests': '6' },
    });
    expect(services.map(({ queue }) => queue.maxRequests)).toEqual([6, 5]);
  });
});

describe('relative paths', () => {
  test("in the file start at the file's folder, wherever the program is started", () => {
    const folder = createFolder(
      'stateDir: state\nmodelsDir: ../m\nservices: [{deployName: a, model: ./x}, {deployName: b, model: y}]',
    );
    const config = configOf({ cwd: '/', flags: { config: join(folder, 'edge-infer.yaml') } });
    expect(config.stateDir).toBe(join(folder, 'state'));
    expect(config.modelsDir).toBe(join(folder, '../m'));
    expect(config.services.map(({ model }) => model)).toEqual([join(folder, 'x'), 'y']);
  });

  test('in flags and variables start at the working directory', () => {
    const cwd = createFolder('stateDir: other\n');
    const config = configOf({
      cwd,
      flags: { 'state-dir': 's', 'services.0.model': '..' },
      env: { EDGE_INFER_MODELS_DIR: './m' },
    });
    expect(config).toMatchObject({ stateDir: join(cwd, 's'), modelsDir: join(cwd, 'm') });
    expect(config.services[0]?.model).toBe(join(cwd, '..'));
  });

  test('of the file itself start at the working directory, and a flag counts before the variable', () => {
    const cwd = createFolder('port: 7');
    expect(configOf({ cwd, env: { EDGE_INFER_CONFIG: 'edge-infer.yaml' } }).port).toBe(7);
    const flags = { config: './edge-infer.yaml' };
    expect(configOf({ cwd, flags, env: { EDGE_INFER_CONFIG: 'none.yaml' } }).port).toBe(7);
  });
});

test("the variables of the vendor's commands are not taken for keys", () => {
  const env = { EDGE_INFER_VENDOR_PASSPHRASE: 'x', EDGE_INFER_PORT: '8080' };
  expect(configOf({ env })).toMatchObject({ port: 8080 });
});
