import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../support/server.ts';

/** A clone that holds what the build and the bootstrap need. */
let clone: string;
const buildFolder = () => join(clone, 'native-bindings/build');
const addon = () => join(buildFolder(), 'edge-infer.node');

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'edge-infer-build-'));
  for (const name of [
    'native-bindings/src',
    'scripts/build-native.js',
    'scripts/find-compiler.js',
    'scripts/with-runtime.js',
    'src/platform/server-environment.js',
    'package.json',
    'package-lock.json',
  ]) {
    cpSync(join(packageRoot, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(packageRoot, 'node_modules'), join(clone, 'node_modules'));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const noCompiler = { CXX: '/nowhere/g++' };
const bootstrapped = ['node', '-p', '"it runs"'];

function runScript(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [join(clone, 'scripts', script), ...args], {
    cwd: clone,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}

function leaveStaleAddon() {
  mkdirSync(buildFolder(), { recursive: true });
  writeFileSync(addon(), 'built from other sources');
}

test('the build says which compiler it tried and how to get one', () => {
  const { status, stderr } = runScript('build-native.js', [], noCompiler);
  expect(status).toBe(69);
  expect(stderr).toContain('no C++ compiler works (tried /nowhere/g++)');
  expect(stderr).toContain('apt-get install');
});

test('the build runs through a link to its folder, and without its ending', () => {
  symlinkSync('scripts', join(clone, 'link'));
  for (const script of ['../link/build-native.js', 'build-native']) {
    expect(runScript(script, [], noCompiler).status, script).toBe(69);
  }
});

test('the bootstrap goes on without a compiler, says so, and leaves no stale addon', () => {
  leaveStaleAddon();
  const { status, stdout, stderr } = runScript('with-runtime.js', bootstrapped, noCompiler);
  expect([status, stdout]).toEqual([0, 'it runs\n']);
  expect(stderr).toContain('going on without native bindings');
  expect(existsSync(addon())).toBe(false);
});

test('the bootstrap leaves an addon that came without its sources alone', () => {
  leaveStaleAddon();
  rmSync(join(clone, 'native-bindings/src'), { recursive: true });
  const { status, stdout, stderr } = runScript('with-runtime.js', bootstrapped);
  expect([status, stdout, stderr]).toEqual([0, 'it runs\n', '']);
  expect(existsSync(addon())).toBe(true);

  const built = runScript('build-native.js', []);
  expect(built.status).toBe(69);
  expect(built.stderr).toMatch(/^edge-infer: .*expected C\+\+ sources in .*, found none\n$/);
});

function runAsNobody(args: readonly string[], cwd: string) {
  return spawnSync(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, ...args],
    { cwd, env: { ...process.env, HOME: '/nowhere' }, encoding: 'utf8' },
  );
}

/** Only root may become another user, who must be let into this package. */
const canBeNobody =
  process.getuid?.() === 0 &&
  runAsNobody(['-e', `fs.accessSync(${JSON.stringify(packageRoot)})`], '/').status === 0;

describe.runIf(canBeNobody)('where another user owns the folder', () => {
  function bootstrapAsNobody() {
    chmodSync(clone, 0o755); // a temporary folder is its owner's alone
    return runAsNobody([join(clone, 'scripts/with-runtime.js'), ...bootstrapped], clone);
  }

  test('the bootstrap goes on without native bindings', () => {
    const { status, stdout, stderr } = bootstrapAsNobody();
    expect([status, stdout]).toEqual([0, 'it runs\n']);
    expect(stderr).toMatch(/^edge-infer: going on without native bindings, .*EACCES.*build'\n$/);
  });

  test('the bootstrap says that it cannot remove a stale addon', () => {
    leaveStaleAddon();
    const { status, stdout, stderr } = bootstrapAsNobody();
    expect([status, stdout]).toEqual([0, 'it runs\n']);
    expect(stderr).toContain(`going on with ${addon()}`);
    expect(stderr).toContain('will be loaded although it was built from other sources');
    expect(stderr).not.toContain('    at ');
    expect(existsSync(addon())).toBe(true);
  });
});

/** `npm test` builds the addon where that is possible. */
const canBuild = existsSync(join(packageRoot, 'native-bindings/build/edge-infer.node'));

describe.runIf(canBuild)('with a compiler', () => {
  function replaceSources(source: string) {
    rmSync(join(clone, 'native-bindings/src'), { recursive: true });
    mkdirSync(join(clone, 'native-bindings/src'));
    writeFileSync(join(clone, 'native-bindings/src/only.cc'), source);
  }

  test('CXX may hold arguments, and a compiler behind another command', () => {
    replaceSources('int answer() { return ANSWER; }');
    const built = runScript('build-native.js', [], { CXX: ' env  c++ -DANSWER=42 ' });
    expect(built.stderr).toContain(`built ${addon()}`);
    expect(built.status).toBe(0);
    const { stderr } = runScript('with-runtime.js', bootstrapped, noCompiler);
    expect(stderr).toBe(''); // up to date, so nothing asks for a compiler
  });

  test('fuzzing takes CXX as the build does, and says what that compiler lacks', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(packageRoot, 'scripts/fuzz-native.ts')],
      { env: { ...process.env, CXX: 'env  c++ -no-such-flag' }, encoding: 'utf8' },
    );
    expect(stderr).toMatch(
      /^fuzz:native: no C\+\+ compiler works \(tried env c\+\+ -no-such-flag: .*error: .+\)/,
    );
    expect(stderr).toContain('apt-get install clang');
    expect(status).toBe(69);
  });

  test('old leftovers of builds that were killed are removed, others are not', () => {
    replaceSources('int answer() { return 42; }');
    mkdirSync(buildFolder());
    const anHourAgo = Date.now() / 1000 - 3600;
    for (const name of ['edge-infer.node.1', 'edge-infer-asan.node.2', 'corpus']) {
      writeFileSync(join(buildFolder(), name), '');
      utimesSync(join(buildFolder(), name), anHourAgo, anHourAgo);
    }
    writeFileSync(join(buildFolder(), 'edge-infer.node.3'), 'being written');
    expect(runScript('build-native.js', []).status).toBe(0);
    expect(readdirSync(buildFolder()).sort()).toEqual(
      ['corpus', 'edge-infer.node', 'edge-infer.node.3', 'stamp.txt'].sort(),
    );
  });

  test('a signal ends the compiler with the bootstrap, and nothing is left', async () => {
    replaceSources('#include "../pipe.h"');
    const pipe = join(clone, 'native-bindings/pipe.h');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const script = join(clone, 'scripts/with-runtime.js');
    const bootstrap = spawn(process.execPath, [script, ...bootstrapped], { stdio: 'ignore' });
    const ended = once(bootstrap, 'exit');
    // Opens as soon as the compiler reads from it, which then waits for what never comes.
    const writer = await open(pipe, 'w');
    bootstrap.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    await vi.waitFor(() => expect(writer.write('\n')).rejects.toThrow('EPIPE'), 10_000);
    await writer.close();
    expect(readdirSync(buildFolder())).toEqual([]);
  });
});
