/** What a server does whose workers' own files are missing, from the start or while it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { YOUNG_GENERATION_MIB } from '../../src/inference/worker-thread.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { classifier, serveFlags, writeClassifier } from '../support/onnx-model.ts';
import { packageRoot } from '../support/server.ts';

let child: ChildProcess | undefined;
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A signal ends a worker that holds a model, which nothing else can do from outside. */
const endWorkerAtSignal = `data:text/javascript,
  const workers = [];
  process.on('worker', (worker) => {
    if (worker.resourceLimits.maxYoungGenerationSizeMb === ${YOUNG_GENERATION_MIB}) workers.push(worker);
  });
  process.on('SIGUSR2', () => workers.at(-1).terminate());`;

async function copyInstallation(): Promise<string> {
  const root = await temporaryFolder();
  for (const name of ['src', 'license', 'package.json', 'package-lock.json']) {
    await cp(join(packageRoot, name), join(root, name), { recursive: true });
  }
  await symlink(join(packageRoot, 'node_modules'), join(root, 'node_modules'));
  return root;
}

interface Readiness {
  readonly status: number;
  readonly service: { readonly state: string; readonly problems?: readonly string[] };
}

async function startServer(root: string) {
  const model = await writeClassifier(join(await temporaryFolder(), 'm'), classifier());
  const flags = Object.entries({
    ...serveFlags({ m: model }),
    port: '0',
    'admin.port': '0',
    'services.0.workers': '2',
    'state-dir': join(root, 'state'),
    'log.format': 'json',
  }).flatMap(([key, value]) => [`--${key}`, value]);
  const started = spawn(
    process.execPath,
    ['--import', endWorkerAtSignal, join(root, 'src/cli/main.ts'), 'serve', ...flags],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  child = started;
  let log = '';
  started.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await expect.poll(() => log, { timeout: 20_000 }).toContain('"msg":"listening"');
  const url = `http://127.0.0.1:${/"port":(\d+)/.exec(log)?.[1]}`;
  return {
    log: () => log,
    endWorker: () => started.kill('SIGUSR2'),
    async readiness(): Promise<Readiness> {
      const response = await fetch(`${url}/readyz`);
      const { services } = (await response.json()) as { services: [Readiness['service']] };
      return { status: response.status, service: services[0] };
    },
  };
}

test.each([
  ['rank.ts', /rank\.ts' imported from .+classify\.ts; files of this installation are missing/],
  ['entry.ts', /entry\.ts' imported from .+; files of this installation are missing/],
])(
  'a file of the workers is missing (%s): the service has failed, and says why',
  async (name, reason) => {
    const root = await copyInstallation();
    await rename(join(root, 'src/worker', name), join(root, name));
    const { readiness } = await startServer(root);
    await expect
      .poll(async () => (await readiness()).service.state, { timeout: 20_000 })
      .toBe('failed');
    const { status, service } = await readiness();
    expect(status).toBe(503);
    expect(service.problems).toEqual([expect.stringMatching(reason)]);
  },
);

test('a file that cannot be parsed is named', async () => {
  const root = await copyInstallation();
  const file = join(root, 'src/worker/rank.ts');
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 900));
  const { readiness } = await startServer(root);
  await expect
    .poll(async () => (await readiness()).service.problems, { timeout: 20_000 })
    .toEqual([
      expect.stringMatching(/^the worker thread ended: file:.+rank\.ts:\d+: .+; files of/),
    ]);
});

test('a worker that cannot start again is told of, tried again without hurry, and comes back', async () => {
  const root = await copyInstallation();
  const server = await startServer(root);
  const problems = async () => (await server.readiness()).service.problems;
  await expect.poll(server.log, { timeout: 20_000 }).toContain('"msg":"ready"');
  const folder = join(root, 'src/worker');
  await rename(folder, `${folder}.away`);
  server.endWorker();
  const missing = expect.stringMatching(
    /^a replaced worker cannot load the model: the worker thread ended: Cannot find module .+entry\.ts/,
  );
  await expect.poll(problems, { timeout: 20_000 }).toEqual([missing]);
  expect((await server.readiness()).service.state).toBe('ready'); // the other worker answers
  expect(server.log()).toContain('a replaced worker cannot load the model and tries again');

  const attempts = () => server.log().split('and tries again').length - 1;
  await expect.poll(attempts, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
  await rename(`${folder}.away`, folder);
  await expect.poll(problems, { timeout: 20_000 }).toBeUndefined();
  expect((await server.readiness()).service.state).toBe('ready');
  expect(attempts()).toBeLessThanOrEqual(4);
});
