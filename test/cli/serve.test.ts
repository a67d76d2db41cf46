import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeTwoVariants } from '../models/two-variants.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { makeFolder, type RunningCli, runCli, startCli } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const stateDir = await makeFolder();
const anyPorts = ['--port', '0', '--admin.port', '0'];
const own = ['--state-dir', stateDir, '--workers', '1'];

/** The command of the hint, run as whoever pastes it would. */
async function pasteHint({ stderr }: RunningCli, cwd: string): Promise<string> {
  const command = /^ {2}(\{ printf .+)$/m.exec(stderr())?.[1] ?? 'false';
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd });
  return stdout;
}

test('serve prints a command that works when pasted, and ends with 0 at SIGTERM', async () => {
  const running = startCli(['serve', ...anyPorts, ...own]);
  await running.waitForStderr('should be "espresso"');
  expect(running.stderr()).toContain(' models/efficientnet-lite0/golden/coffee.png;');
  expect(running.stderr()).toContain('in this folder');
  expect(await pasteHint(running, packageRoot)).toMatch(
    /^\{"log_id":\d+,"results":\[\{"name":"espresso","score":0\.95/,
  );
  running.process.kill('SIGTERM');
  const { exitCode, stdout } = await running.ended;
  expect(exitCode).toBe(0);
  expect(stdout).toContain('"msg":"stopped"');
});

test('serve tells what the variant that runs should answer, and logs which it is', async () => {
  const goldenOf = (name: string) => ({
    scoreTolerance: 0.1,
    examples: [{ image: 'golden.bmp', top: [{ name, score: 0.99 }] }],
  });
  const model = await writeTwoVariants(
    join(await makeFolder(), 'two'),
    { golden: goldenOf('class 1') },
    {
      manifest: (manifest) => ({ ...manifest, golden: goldenOf('class 0') }),
      files: { 'golden.bmp': oneColourBmp([1, 2, 3]) },
    },
  );
  const flags = ['--services.0.model', model, '--services.0.variant', 'int8'];
  const running = startCli(['serve', ...anyPorts, ...own, ...flags]);
  await running.waitForStderr('should be "class 1"');
  running.process.kill('SIGTERM');
  const { stdout } = await running.ended;
  expect(stdout).toMatch(
    /"variant":"int8","variantReason":"the configuration asks for it","workers":\d+,"threads":1,"msg":"ready"/,
  );
});

test('the pasted command works from any folder, for any model and name', async () => {
  const folder = await makeFolder();
  const model = join(folder, "the customer's model");
  await cp(join(packageRoot, 'models/efficientnet-lite0'), model, { recursive: true });
  const bare = join(folder, 'bare');
  await cp(model, bare, { recursive: true });
  const manifest = JSON.parse(await readFile(join(bare, 'manifest.json'), 'utf8')) as {
    golden: { examples: unknown[] };
  };
  manifest.golden.examples = [];
  await writeFile(join(bare, 'manifest.json'), JSON.stringify(manifest));
  const services = [
    { deployName: "it's 质检", model },
    { deployName: 'bare', model: bare },
  ];
  await writeFile(join(folder, 'edge-infer.yaml'), JSON.stringify({ services }));

  const running = startCli(['serve', ...anyPorts, ...own], { cwd: folder });
  await running.waitForStderr('bare/ImageClassification');
  expect(running.stderr()).not.toContain('in this folder');
  expect(await pasteHint(running, '/')).toContain('"name":"espresso"');
  expect(running.stderr()).toMatch(/photo of your own as PHOTO\.jpg:\n\n.+ PHOTO\.jpg;/);
  running.process.kill('SIGINT');
  expect((await running.ended).exitCode).toBe(0);
});

test('serve ends with 0 at SIGTERM while the model is still loading', async () => {
  const running = startCli(['serve', ...anyPorts, ...own]);
  if (running.process.stdout !== null) {
    await once(running.process.stdout, 'data');
  }
  running.process.kill('SIGTERM');
  expect(await running.ended).toMatchObject({ exitCode: 0, stderr: '' });
});

test('serve names the port that is taken and the flag that changes it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const service = await runCli(['serve', '--port', `${port}`, '--admin.port', '0', ...own]);
  const admin = await runCli(['serve', '--port', '0', '--admin.port', `${port}`, ...own]);
  other.close();
  for (const [{ exitCode, stderr }, flag] of [
    [service, '--port'],
    [admin, '--admin.port'],
  ] as const) {
    expect(exitCode).toBe(71);
    expect(stderr).toMatch(new RegExp(`^edge-infer: .*\\b${port}\\b.*${flag}.*\n$`));
  }
});

test('serve refuses a wrong configuration with 78 and every problem', async () => {
  const refused = await runCli(['serve', '--port', 'x', '--workers', '-1', '--http.stat', '1']);
  expect(refused).toMatchObject({ exitCode: 78, stdout: '' });
  expect(refused.stderr).toMatch(/^edge-infer: The configuration has 3 problems:\n/);
});
