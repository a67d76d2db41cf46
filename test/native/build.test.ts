import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../support/server.ts';

/** A clone that holds what the build and the bootstrap need. */
let clone: string;
const addon = () => join(clone, 'native-bindings/build/edge-infer.node');

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'edge-infer-build-'));
  for (const name of [
    'native-bindings/src',
    'scripts',
    'src/platform/server-environment.js',
    'package.json',
    'package-lock.json',
  ]) {
    cpSync(join(packageRoot, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(packageRoot, 'node_modules'), join(clone, 'node_modules'));
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

function runScript(script: string, args: readonly string[], env: Record<string, string>) {
  return spawnSync(process.execPath, [join(clone, 'scripts', script), ...args], {
    cwd: clone,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}

test('the build says which compiler it tried and how to get one', () => {
  const { status, stderr } = runScript('build-native.js', [], { CXX: '/nowhere/g++' });
  expect(status).toBe(69);
  expect(stderr).toContain('no C++ compiler works (tried /nowhere/g++)');
  expect(stderr).toContain('apt-get install');
});

test('the bootstrap goes on without a compiler, says so, and leaves no stale addon', () => {
  mkdirSync(join(clone, 'native-bindings/build'), { recursive: true });
  writeFileSync(addon(), 'built from other sources');
  const { status, stdout, stderr } = runScript('with-runtime.js', ['node', '-p', '"it runs"'], {
    CXX: '/nowhere/g++',
  });
  expect([status, stdout]).toEqual([0, 'it runs\n']);
  expect(stderr).toContain('going on without native bindings');
  expect(existsSync(addon())).toBe(false);
});
