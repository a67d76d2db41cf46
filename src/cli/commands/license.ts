import { Command } from 'commander';
import { exitCodes } from '../../core/errors.ts';
import type { ReleaseOptions } from '../license/release.ts';
import type { RequestOptions } from '../license/request.ts';
import { addLocalConfigOptions } from '../local-config.ts';

/** `edge-infer license ...`: from "no licence" to "serving", for the operator. */
export function createLicenseCommand(): Command {
  return new Command('license')
    .summary('Request, install, look at or give up a licence.')
    .description(
      'Requests a licence for this host, installs it, tells its state, or gives it up. A running server takes every change up within two seconds.',
    )
    .addCommand(createStatusCommand())
    .addCommand(createRequestCommand())
    .addCommand(createInstallCommand())
    .addCommand(createRemoveCommand())
    .addCommand(createReleaseCommand());
}

const STATUS_HELP = `
Where a server is running with these licences, its word is told: it is asked at its admin address.
Else this command looks at what lies here, and tells what a server would find. Exit code 1 where a
service is refused.

Examples:
  edge-infer license status
  edge-infer license status --json`;

function createStatusCommand(): Command {
  const command = new Command('status')
    .summary('Tell the state of the licence, and what to do next.')
    .description(
      'Tells for each service whether it is answered: the state of its licence, how many days are left, which parts of the hardware match, and what to do next.',
    )
    .option('--json', 'Print one JSON object.')
    .addHelpText('after', STATUS_HELP)
    .action(async (options: { json?: true }) => {
      const { runLicenseStatus } = await import('../license/status.ts');
      process.exitCode = exitCodes[await runLicenseStatus(options.json === true, command)];
    });
  return addLocalConfigOptions(command);
}

const REQUEST_HELP = `
A request holds salted hashes of this host's hardware and its public key: no serial number. Without
an option it is printed as the file that --out would write.

Examples:
  edge-infer license request --out request.txt
  edge-infer license request --qr
  edge-infer license request --groups`;

function createRequestCommand(): Command {
  const command = new Command('request')
    .summary('Ask your vendor for a licence of this host.')
    .description('Prints or writes a request for a licence, to be sent to your vendor.')
    .option('--out <file>', 'Write the request to a new file, of at most 1 KB.')
    .option('--groups', 'Print groups of letters with check characters, to read out or type.')
    .option('--qr', 'Print a QR code, to photograph.')
    .addHelpText('after', REQUEST_HELP)
    .action(async (options: RequestOptions) => {
      const { requestLicense } = await import('../license/request.ts');
      await requestLicense(options, command);
    });
  return addLocalConfigOptions(command);
}

const INSTALL_HELP = `
A licence that would not serve is refused with the reason, and nothing is changed. Others that lie
there are left alone; of several the best counts. A list of withdrawn licences that your vendor
sends is installed in the same way.

Examples:
  edge-infer license install imagenet.lic`;

function createInstallCommand(): Command {
  const command = new Command('install')
    .summary('Check a licence and put it in place.')
    .description('Checks a licence file against this host and puts it in place.')
    .argument('<file>', 'The licence file that came from your vendor.')
    .addHelpText('after', INSTALL_HELP)
    .action(async (file: string) => {
      const { installLicense } = await import('../license/install.ts');
      await installLicense(file, command);
    });
  return addLocalConfigOptions(command);
}

const REMOVE_HELP = `
The file is kept beside the others under another name, so that it can be put back.

Examples:
  edge-infer license remove imagenet.lic`;

function createRemoveCommand(): Command {
  const command = new Command('remove')
    .summary('Take a licence out of use.')
    .description(
      'Takes a licence out of use on this host. To get one for another host, give it up with "license release" instead.',
    )
    .argument('<licence>', 'The licence\'s id, or the name of its file, as "license status" tells.')
    .addHelpText('after', REMOVE_HELP)
    .action(async (licence: string) => {
      const { removeLicense } = await import('../license/remove.ts');
      await removeLicense(licence, command);
    });
  return addLocalConfigOptions(command);
}

const RELEASE_HELP = `
The licence never serves on this host again. Your vendor accepts the proof, once, for a licence of
another host.

Examples:
  edge-infer license release 5f0c2c4e-imagenet --out proof.txt --yes`;

function createReleaseCommand(): Command {
  const command = new Command('release')
    .summary('Give a licence up, and get a proof of it.')
    .description(
      'Gives a licence up for good and writes a signed proof, for which your vendor issues one for another host.',
    )
    .argument('<licence>', 'The licence\'s id, or the name of its file, as "license status" tells.')
    .requiredOption('--out <file>', 'Where to write the proof: a new file.')
    .option('--yes', 'Do it: there is no way back.')
    .addHelpText('after', RELEASE_HELP)
    .action(async (licence: string, options: ReleaseOptions) => {
      const { releaseLicense } = await import('../license/release.ts');
      await releaseLicense(licence, options, command);
    });
  return addLocalConfigOptions(command);
}
