import { appendFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeTwoVariants } from '../models/two-variants.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { makeFolder, runCli } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const stateDir = await makeFolder();
const modelsDir = await makeFolder();
const own = ['--state-dir', stateDir];
const good = join(packageRoot, 'models/efficientnet-lite0');

await cp(good, join(modelsDir, 'damaged'), { recursive: true });
await appendFile(join(modelsDir, 'damaged/labels.en.json'), ' ');
await rm(join(modelsDir, 'damaged/golden/coffee.png'));
await mkdir(join(modelsDir, 'no-manifest'));
await mkdir(join(modelsDir, 'half'));
await writeFile(join(modelsDir, 'half/manifest.json'), '{"formatVersion": 1');

describe('models list', () => {
  test('prints what each folder holds', async () => {
    const { exitCode, stdout } = await runCli(['models', 'list']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^MODEL +VERSION +TASK +INPUT +VARIANTS +CLASSES +SIZE\n/);
    expect(stdout).toMatch(
      /\nefficientnet-lite0 +1 +image-classification +224x224 rgb +float32, int8 +1000 +15 MiB\n/,
    );
  });

  test('says what is wrong in short, and prints JSON', async () => {
    const named = ['models', 'list', '--models-dir', modelsDir];
    const { stdout } = await runCli(named);
    expect(stdout).toMatch(/\ndamaged .*\n {2}golden\/coffee\.png is missing\n/);
    expect(stdout).toMatch(/\nno-manifest .*\n {2}no manifest\.json\n/);
    const lines = (await runCli([...named, '--json'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { folder: 'damaged', classes: 1000, problems: ['golden/coffee.png is missing'] },
      { folder: 'half', problems: ['manifest.json is not JSON'] },
      { folder: 'no-manifest', problems: ['no manifest.json'] },
    ]);
  });

  test('ends with 66 when there is no such folder', async () => {
    const missing = await runCli(['models', 'list', '--models-dir', join(modelsDir, 'none')]);
    expect(missing).toMatchObject({ exitCode: 66, stdout: '' });
    expect(missing.stderr).toMatch(/^edge-infer: modelsDir \S+none: expected a folder.+\n$/);
  });
});

describe('models check', () => {
  test('checks the models of the services', async () => {
    const { exitCode, stdout, stderr } = await runCli(['models', 'check', ...own]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^OK {6}efficientnet-lite0 1: 1000 classes\n {8}float32: cpu, \w+ imaging, 5 golden examples right\n {8}int8: (cpu, \w+ imaging, 5 golden examples right|not run: expected a CPU with .+); first class as float32 on 98\.4 % of 1000 images\n$/,
    );
  });

  test('prints every problem of a damaged model and goes on to the next', async () => {
    const { exitCode, stdout } = await runCli([
      ...['models', 'check', 'damaged', good, '--models-dir', modelsDir],
      ...own,
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^FAILED {2}damaged\n( {2}.+\n){2}OK {6}\S+efficientnet-lite0 1: /);
    expect(stdout).toMatch(
      / {2}\S+damaged\/golden\/coffee\.png: expected .+ found nothing there\n/,
    );
    expect(stdout).toMatch(/ {2}\S+damaged\/labels\.en\.json: expected SHA-256 [0-9a-f]{64}/);
  });

  test('checks every variant that this host can run, and the files of all', async () => {
    const model = await writeTwoVariants(join(modelsDir, 'two'), {
      needs: { anyCpuFeature: ['avx9000'] },
    });
    const check = ['models', 'check', 'two', '--models-dir', modelsDir, ...own];
    const unfit = await runCli(check);
    expect(unfit).toMatchObject({ exitCode: 0 });
    expect(unfit.stdout).toMatch(
      /^OK {6}two 1: 2 classes\n {8}float32: cpu, .+\n {8}int8: not run: expected a CPU with avx9000, found one without; first class as float32 on 95 % of 200 images\n$/,
    );

    const asked = await runCli([...check, '--variant', 'int8']);
    expect(asked).toMatchObject({ exitCode: 1 });
    expect(asked.stdout).toMatch(/^FAILED {2}two\n {2}variant int8: expected a CPU with avx9000/);

    await appendFile(join(model, 'int8.onnx'), ' ');
    const damaged = await runCli(check);
    expect(damaged).toMatchObject({ exitCode: 1 });
    expect(damaged.stdout).toMatch(/^FAILED {2}two\n {2}\S+int8\.onnx: expected SHA-256 .+\n$/);
  });

  test('names the variant whose answers are wrong', async () => {
    const image = oneColourBmp([1, 2, 3]);
    const golden = {
      scoreTolerance: 0.1,
      examples: [{ image: 'golden.bmp', top: [{ name: 'class 0', score: 0.99 }] }],
    };
    await writeTwoVariants(
      join(modelsDir, 'wrong'),
      { golden },
      { manifest: (manifest) => ({ ...manifest, golden }), files: { 'golden.bmp': image } },
    );
    const check = ['models', 'check', 'wrong', '--models-dir', modelsDir, ...own];
    const { exitCode, stdout } = await runCli(check);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^FAILED {2}wrong\n {2}int8: golden example golden\.bmp: expected "class 0".+found "class 1".+\n$/,
    );
  });

  test('prints JSON and ends with 66 when a named model does not exist', async () => {
    const { exitCode, stdout } = await runCli([
      ...['models', 'check', '--json', 'none', 'damaged', '--models-dir', modelsDir],
      ...own,
    ]);
    expect(exitCode).toBe(66);
    const verdicts = stdout.trimEnd().split('\n');
    expect(verdicts.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { model: 'none', ok: false, problems: [expect.stringContaining('found nothing there')] },
      { model: 'damaged', ok: false, problems: { length: 2 } },
    ]);
  });
});
