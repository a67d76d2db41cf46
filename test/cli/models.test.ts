import { appendFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
    expect(stdout).toMatch(/^MODEL +VERSION +TASK +INPUT +CLASSES +SIZE\n/);
    expect(stdout).toMatch(
      /\nefficientnet-lite0 +1 +image-classification +224x224 rgb +1000 +11 MiB\n/,
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
      /^OK {6}efficientnet-lite0 1: 1000 classes, cpu, 5 golden examples right\n$/,
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
