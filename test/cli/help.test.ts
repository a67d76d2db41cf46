import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { mainFile, makeFolder, nodeOptions, runCli } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const commands = [
  ...[
    'serve',
    'classify',
    'models',
    'models list',
    'models check',
    'verify',
    'bench',
    'self-test',
    'doctor',
    'support-bundle',
    'config',
  ],
  ...[
    'hardware',
    'hardware record',
    'license',
    'license status',
    'license request',
    'license install',
    'license remove',
  ],
  ...[
    'license release',
    'vendor',
    'vendor keygen',
    'vendor issue',
    'vendor reissue',
    'vendor revoke',
  ],
  ...['vendor resign', 'vendor list', 'vendor export', 'vendor inspect'],
];

describe('help', () => {
  test('of the program names every command and every exit code', async () => {
    const { exitCode, stdout, stderr } = await runCli([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const name of commands.filter((each) => !each.includes(' '))) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    const codes = [...stdout.matchAll(/^ {2}(\d+) +\S/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual([0, 1, 2, 64, 65, 66, 70, 71, 77, 78, 130]);
    expect((await runCli(['--help'])).stdout).toBe(stdout);
  });

  test.each(commands)('of %s tells what it does in sentences', async (command) => {
    const { exitCode, stdout } = await runCli([...command.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: edge-infer ${command} `));
    expect(stdout).toMatch(/\n\n[A-Z](.|\n)+?\.\n\n/);
    if (!['models', 'config', 'hardware', 'license', 'vendor'].includes(command)) {
      expect(stdout).toMatch(/Examples:\n {2}edge-infer /);
    }
  });

  test.each([
    ['classify', 4, ',espresso,'],
    ['models list', 2, ''],
    ['models check', 3, ''],
    ['verify', 4, ''],
    ['bench', 2, '<svg'],
    ['self-test', 2, ''],
    ['doctor', 2, ''],
    ['support-bundle', 2, ''],
  ])('of %s has examples that work when pasted', async (command, count, written) => {
    const folder = await makeFolder();
    await symlink(join(packageRoot, 'models'), join(folder, 'models'));
    const exported = join(packageRoot, 'test/fixtures/verify');
    await symlink(join(exported, 'model'), join(folder, 'my-model'));
    await symlink(join(exported, 'reference.jsonl'), join(folder, 'reference.jsonl'));
    await symlink(join(exported, 'photos'), join(folder, 'photos'));
    await mkdir(join(folder, 'bin'));
    const launcher = `#!/bin/sh\nexec '${process.execPath}' '${mainFile}' "$@"\n`;
    await writeFile(join(folder, 'bin/edge-infer'), launcher, { mode: 0o755 });
    const env = {
      NODE_OPTIONS: nodeOptions,
      PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
      EDGE_INFER_STATE_DIR: join(folder, 'state'),
    };
    const { stdout } = await runCli([...command.split(' '), '--help']);
    const examples = [...stdout.matchAll(/^ {2}(edge-infer .+)$/gm)].map(([line]) => line);
    expect(examples).toHaveLength(count);
    await promisify(execFile)('bash', ['-ec', examples.join('\n')], { cwd: folder, env });
    const files = (await readdir(folder)).filter((name) => /\.(csv|html)$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
    expect(texts.join('')).toContain(written);
  });

  test('and the configuration are shown without loading the server', async () => {
    const loaded = await makeFolder();
    for (const args of [['--help'], ['config', 'show']]) {
      await runCli(args, { env: { NODE_V8_COVERAGE: loaded } });
    }
    const reports = await readdir(loaded);
    expect(reports).toHaveLength(2);
    for (const report of reports) {
      const text = await readFile(join(loaded, report), 'utf8');
      expect(text).toContain('node_modules/commander/');
      expect(text).not.toMatch(
        /node_modules\/(koa|onnxruntime-node|sharp|piscina|pino|cli-table3|prom-client)\//,
      );
    }
  });

  test('--version prints the version alone', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage ends with 64 and names what was probably meant:', () => {
  test.each([
    { args: ['clasify'], message: 'Did you mean classify?' },
    { args: ['models', 'chek'], message: 'Did you mean check?' },
    { args: ['classify', 'x.png', '--jsn'], message: 'Did you mean --json?' },
    { args: ['serve', '--prot', '1'], message: 'Did you mean --port?' },
    { args: ['classify'], message: 'missing required argument' },
    { args: ['classify', 'x.png', '--top', '0'], message: 'at least 1, found "0"' },
    { args: ['classify', 'x.png', '--json', '--csv'], message: 'cannot be used with' },
    { args: ['bench', '--callers', '1,0'], message: 'from 1 to 1024 with commas' },
    { args: ['bench', '--duration', '5ms'], message: '0.1s to 3600s, found "5ms"' },
    { args: ['bench', '--budget', 'soon'], message: 'a time such as 200ms' },
    { args: ['bench', '--chart', 'x.png'], message: 'ends in .html or .svg' },
    { args: ['classify', 'x.png', '--model', 'm', '--service', 's'], message: 'cannot be used' },
  ])('$args', async ({ args, message }) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^edge-infer: /);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/See "edge-infer .*--help"\.\n$/);
  });
});
