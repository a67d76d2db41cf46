import { Command } from 'commander';
import { addLocalConfigOptions } from '../local-config.ts';
import type { BundleOptions } from '../support-bundle/run.ts';

const HELP_AFTER = `
What it holds is listed first, and asked about on a terminal. No images, licence files, keys,
passwords or serial numbers are in it; names of this host and of its users and network addresses
are replaced. It is an ordinary archive of text files, to be looked into before it is sent. Made by
root it tells more.

Examples:
  edge-infer support-bundle --list
  edge-infer support-bundle support.tar.gz --yes`;

/** `edge-infer support-bundle`: one archive for the vendor. */
export function createSupportBundleCommand(): Command {
  const command = new Command('support-bundle')
    .summary('Collect what your vendor needs to help, in one archive.')
    .description(
      'Collects findings, settings, states, metrics and log of this installation in one archive for your vendor.',
    )
    .argument('[file]', 'Where to write it: a new file (default: edge-infer-support-TIME.tar.gz).')
    .option('--list', 'Show what it would hold, and write nothing.')
    .option('--yes', 'Do not ask.')
    .option('--log <file>', 'Take the log from this file instead of from the journal.')
    .addHelpText('after', HELP_AFTER)
    .action(async (file: string | undefined, options: BundleOptions) => {
      const { writeSupportBundle } = await import('../support-bundle/run.ts');
      await writeSupportBundle(file, options, command);
    });
  return addLocalConfigOptions(command);
}
