import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadNativeBindings } from '../../src/platform/native-bindings.ts';
import { packageRoot } from '../support/server.ts';

const run = promisify(execFile);

/** An installation whose native bindings were never built. */
let installation: string;

beforeAll(async () => {
  installation = await mkdtemp(join(tmpdir(), 'edge-infer-absent-'));
  for (const name of ['src', 'package.json']) {
    await cp(join(packageRoot, name), join(installation, name), { recursive: true });
  }
  for (const name of ['models', 'node_modules']) {
    await symlink(join(packageRoot, name), join(installation, name));
  }
});
afterAll(() => rm(installation, { recursive: true, force: true }));

async function checkModels(...flags: string[]): Promise<{ exitCode: number; stdout: string }> {
  const main = join(installation, 'src/cli/main.ts');
  const state = join(installation, 'state');
  const args = [main, 'models', 'check', 'efficientnet-lite0', '--json', '--state-dir', state];
  try {
    const { stdout } = await run(process.execPath, [...args, ...flags], { cwd: installation });
    return { exitCode: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { exitCode: code, stdout };
  }
}

test('without the addon the golden examples are right all the same', async () => {
  const { exitCode, stdout } = await checkModels();
  expect(exitCode).toBe(0);
  const [float32] = JSON.parse(stdout).variants;
  expect(float32).toMatchObject({ name: 'float32', ok: true, imaging: 'portable', examples: 5 });
});

test('without the addon "native" is refused, with what to do', async () => {
  const { exitCode, stdout } = await checkModels('--imaging', 'native');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('the native bindings are not built: expected ');
  expect(stdout).toContain('npm run build:native');
});

test('an addon that is no addon is refused with what was found', async () => {
  const file = join(installation, 'garbage.node');
  await writeFile(file, 'not a shared object');
  const loaded = loadNativeBindings(file);
  expect(loaded).toMatchObject({ ok: false });
  expect(loaded.ok ? '' : loaded.error).toMatch(
    /^the native bindings cannot be loaded: .*(file too short|invalid ELF header).*npm run build:native/,
  );
});

test('an addon of another interface is refused with both versions', async () => {
  const file = join(installation, 'old.cjs');
  await writeFile(file, 'module.exports = { apiVersion: 0 };');
  const loaded = loadNativeBindings(file);
  expect(loaded.ok ? '' : loaded.error).toMatch(
    /expected interface \d+, found 0 in .*old\.cjs; build it/,
  );
});
