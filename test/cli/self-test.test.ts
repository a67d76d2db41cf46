import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testBuildFile } from '../../scripts/license-vectors/test-keys.ts';
import type { SelfTestReport } from '../../src/cli/self-test/report.ts';
import { copyRelease } from '../support/copy-release.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { classifier, writeClassifier } from '../support/onnx-model.ts';
import { makeFolder, runCli } from '../support/run-cli.ts';
import { packageRoot, startTestServer } from '../support/server.ts';

const stateDir = await makeFolder();
const modelsDir = await makeFolder();
const own = ['--state-dir', stateDir, '--workers', '1'];
const good = join(packageRoot, 'models/efficientnet-lite0');

async function selfTest(args: readonly string[], main?: string) {
  const options = main === undefined ? {} : { main };
  const { exitCode, stdout, stderr } = await runCli(['self-test', '--json', ...args], options);
  expect(stderr).toBe('');
  return { exitCode, report: JSON.parse(stdout) as SelfTestReport };
}

test('the default model answers its golden examples over HTTP, beside a server that runs', async () => {
  await using running = await startTestServer();
  const ports = [running.server.servicePort, running.server.adminPort];
  const args = ['--port', `${ports[0]}`, '--admin.port', `${ports[1]}`, ...own];
  const { exitCode, stdout, stderr } = await runCli(['self-test', ...args]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(
    /^OK {6}imagenet: efficientnet-lite0 1 \(float32\) on cpu, \w+ imaging, weights shared by all workers\n {8}5 of 5 golden examples right, largest difference \S+, at most \d+ ms each over HTTP\n {8}licence TRIAL: .+\nSelf-test passed: edge-infer \S+, Node \S+, onnxruntime \S+, ready in \S+ s\.\n$/,
  );
});

test('as JSON it says what runs, and of each image what was answered', async () => {
  const { exitCode, report } = await selfTest(own);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({
    ok: true,
    configFile: null,
    problems: [],
    services: [{ model: 'efficientnet-lite0', askedBy: 'http', license: { isServed: true } }],
  });
  const [service] = report.services;
  expect(service?.examples).toHaveLength(5);
  expect(service?.examples[3]).toMatchObject({
    image: 'golden/coffee.png',
    firstClass: 'espresso',
  });
});

test('every mistake of the configuration is told, also as JSON', async () => {
  const file = join(await makeFolder(), 'edge-infer.yaml');
  await writeFile(file, 'port: 99999\nworkerz: 2\nlog: {level: loud}\n');
  const { exitCode, report } = await selfTest(['--config', file]);
  expect(exitCode).toBe(78);
  expect(report.problems).toHaveLength(3);
  const text = await runCli(['self-test', '--config', file]);
  expect(text.exitCode).toBe(78);
  for (const problem of report.problems) {
    expect(text.stdout).toContain(`FAILED  ${problem}\n`);
  }
});

test('a model that cannot be loaded fails, with all that is wrong; the others are tested', async () => {
  const damaged = join(modelsDir, 'damaged');
  await cp(good, damaged, { recursive: true });
  await rm(join(damaged, 'golden/coffee.png'));
  await writeFile(join(damaged, 'labels.en.json'), '[]');
  const services = `services:\n  - {deployName: one, model: ${good}}\n  - {deployName: two, model: ${damaged}}\n`;
  const file = join(modelsDir, 'edge-infer.yaml');
  await writeFile(file, services);
  const { exitCode, report } = await selfTest(['--config', file, ...own]);
  expect(exitCode).toBe(78);
  expect(report.services).toMatchObject([
    { deployName: 'one', ok: true },
    {
      deployName: 'two',
      ok: false,
      problems: [
        expect.stringContaining('coffee.png: expected'),
        expect.stringContaining('labels.en.json: expected SHA-256'),
      ],
    },
  ]);
});

test('a licence that refuses is told, and the models are tested past it', async () => {
  const release = await copyRelease({
    ...testBuildFile,
    evaluation: { ...testBuildFile.evaluation, enabled: false },
  });
  const main = join(release, 'src/cli/main.ts');
  const { exitCode, report } = await selfTest(own, main);
  expect(exitCode).toBe(0);
  expect(report.services).toMatchObject([
    {
      ok: true,
      askedBy: 'worker',
      license: { state: 'NOT_FOUND', isServed: false },
      examples: { length: 5 },
    },
  ]);
  const { stdout } = await runCli(['self-test', ...own], { main });
  expect(stdout).toContain('licence NOT_FOUND: ');
  expect(stdout).toContain('; the model was tested past it');
});

test('a release that becomes ready and answers its callers wrongly ends with 2', async () => {
  const release = await copyRelease();
  const file = join(release, 'src/http/envelope.ts');
  const code = await readFile(file, 'utf8');
  const broken = code.replace('ranking.scores[place]', '(ranking.scores[place] ?? 0) / 2');
  expect(broken).not.toBe(code);
  await writeFile(file, broken);
  const { exitCode, report } = await selfTest(own, join(release, 'src/cli/main.ts'));
  expect(exitCode).toBe(2);
  expect(report.services[0]?.problems).toHaveLength(5);
  expect(report.services[0]?.problems[3]).toMatch(
    /^golden example golden\/coffee\.png: expected "espresso" with 0\.95.+, found 0\.47/,
  );
});

test('a model without golden examples is asked all the same', async () => {
  const model = await writeClassifier(join(modelsDir, 'unproven'), classifier());
  const { exitCode, report } = await selfTest(['--services.0.model', model, ...own]);
  expect(exitCode).toBe(0);
  expect(report.services).toMatchObject([{ ok: true, examples: [{ image: 'a grey square' }] }]);
});

test('classes of the same name are compared by their places', async () => {
  const model = classifier({ weights: Array(3).fill([0, 0, 0]), bias: [0, 1, 2] });
  const top = [
    { name: 'same', score: 0.6652 }, // e^2 / (e^2 + e + 1)
    { name: 'other', score: 0.09 },
  ];
  const golden = { scoreTolerance: 1e-3, examples: [{ image: 'golden.bmp', top }] };
  const folder = await writeClassifier(join(modelsDir, 'twins'), model, {
    manifest: (manifest) => ({ ...manifest, golden }),
    files: {
      'golden.bmp': oneColourBmp([1, 2, 3]),
      'labels.en.json': Buffer.from('["other","same","same"]'),
    },
  });
  const { exitCode, report } = await selfTest(['--services.0.model', folder, ...own]);
  expect(report.services).toMatchObject([{ problems: [], examples: [{ firstClass: 'same' }] }]);
  expect(exitCode).toBe(0);
});
