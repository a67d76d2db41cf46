/**
 * `npm run test:native-asan [-- MUTATIONS [SEED]]`: the addon, built with the address and
 * undefined-behaviour sanitizers, over all reference files and 10,000 damaged ones; any report ends
 * the run. Needs what building the addon needs, and GCC's libasan.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { addonCompilers } from './build-native.js';
import { findCompiler } from './find-compiler.js';

const { root } = readPackageInfo();
const addonFile = join(root, 'native-bindings/build/edge-infer-asan.node');

function fail(message: string): never {
  console.error(`test:native-asan: ${message}`);
  process.exit(1);
}

const built = spawnSync(process.execPath, [join(root, 'scripts/build-native.js'), '--sanitize'], {
  stdio: 'inherit',
});
if (built.status !== 0) {
  fail('the sanitized addon could not be built (the reason is above)');
}
// The runtime itself is not instrumented, so the sanitizer's library must be there before it.
const [command = '', ...given] = findCompiler(addonCompilers);
const { stdout } = spawnSync(command, [...given, '-print-file-name=libasan.so'], {
  encoding: 'utf8',
});
const environment = {
  ...process.env,
  LD_PRELOAD: stdout.trim(),
  // The runtime frees little of what it has when it ends.
  ASAN_OPTIONS: 'detect_leaks=0',
  UBSAN_OPTIONS: 'print_stacktrace=1',
};

// A run without reports says something only if there would be one.
const planted = `require(${JSON.stringify(addonFile)}).readBeyondItsEnd()`;
const probe = spawnSync(process.execPath, ['-e', planted], { env: environment, encoding: 'utf8' });
if (probe.status === 0 || !probe.stderr.includes('heap-buffer-overflow')) {
  fail(`the sanitizer does not see a planted fault: ${probe.stderr.slice(0, 300)}`);
}

const [mutations = '10000', ...seed] = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [join(root, 'scripts/native-asan/exercise.ts'), addonFile, mutations, ...seed],
  { env: environment, stdio: 'inherit' },
);
process.exit(status ?? 1);
