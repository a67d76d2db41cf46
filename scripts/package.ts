/**
 * `npm run package -- --flavor cpu`: builds the archive that is carried to a server. How and from
 * what: scripts/README.md, "Making the archive".
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createProgressBar } from '../src/cli/progress-bar.ts';
import { exitCodes, OperatorError } from '../src/core/errors.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { buildArchive } from './package/build.ts';
import { type Flavor, flavors } from './package/manifest.ts';
import { formatReport } from './package/report.ts';
import { openReleaseKey } from './package/signature.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Given {
  readonly flavor: Flavor;
  readonly version: string;
  readonly out: string;
  readonly key?: string;
  readonly passphraseFile?: string;
}

async function run({ flavor, version, out, ...given }: Given): Promise<void> {
  const key =
    given.key === undefined
      ? undefined
      : await openReleaseKey(resolve(given.key), { file: given.passphraseFile });
  const started = performance.now();
  const bar = createProgressBar('[{bar}] {percentage} % | {step} | {duration} s');
  bar.start(100, 0, { step: '' });
  try {
    const built = await buildArchive({
      ...{ root, flavor, version, out: resolve(out), key, compressionLevel: 9 },
      onProgress: (step, share) => bar.update(100 * share, { step }),
    });
    bar.stop();
    const durationMs = performance.now() - started;
    process.stdout.write(formatReport({ built, fingerprint: key?.fingerprint, durationMs }));
  } finally {
    bar.stop();
  }
}

function checkFlavor(text: string): Flavor {
  const flavor = flavors.find((name) => name === text);
  if (flavor !== undefined) return flavor;
  throw new InvalidArgumentError(
    text === 'cuda'
      ? "It needs onnxruntime's CUDA provider, which the package onnxruntime-node leaves to a download from the internet; there is no way to build it yet (scripts/README.md)."
      : `Expected ${flavors.join(' or ')}.`,
  );
}

/** It becomes part of names of files and folders, and versions are compared. */
function checkVersion(text: string): string {
  if (!/^\d+\.\d+\.\d+(-[\da-z][\da-z.-]*)?$/i.test(text)) {
    throw new InvalidArgumentError('Expected a version such as 1.2.3 or 1.2.3-rc.1.');
  }
  return text;
}

/** Tells what went wrong and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.OK : exitCodes.USAGE; // commander has said why
  }
  if (error instanceof OperatorError) {
    process.stderr.write(`package: ${error.message}\n`);
    return exitCodes[error.exit];
  }
  throw error;
}

const program = new Command('package')
  .addOption(
    new Option('--flavor <flavor>', 'What it can run models on: cpu.')
      .argParser(checkFlavor)
      .makeOptionMandatory(),
  )
  .option(
    '--version <version>',
    'The version of the archive.',
    checkVersion,
    readPackageInfo().version,
  )
  .option('--key <file>', 'Sign with this key of "edge-infer vendor keygen --kind release".')
  .option('--passphrase-file <file>', 'Its first line is the passphrase of the key.')
  .option('--out <folder>', 'Where to write it.', 'dist')
  .action(run)
  .exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
