import { Command, Option } from 'commander';

/** `edge-infer vendor`: what the seller of licences does, on a machine of their own. */
export function createVendorCommand(): Command {
  return new Command('vendor')
    .summary('Make signing keys, issue licences and keep their register.')
    .description(
      'Makes signing keys, issues licences and keeps their register: for whoever sells the product, on a machine of their own. license/README.md is the guide.',
    )
    .addCommand(createKeygenCommand())
    .addCommand(createIssueCommand())
    .addCommand(createReissueCommand())
    .addCommand(createRevokeCommand())
    .addCommand(createResignCommand())
    .addCommand(createListCommand())
    .addCommand(createExportCommand())
    .addCommand(createInspectCommand());
}

const PASSPHRASE_HELP = `
The passphrase comes from --passphrase-file, the variable EDGE_INFER_VENDOR_PASSPHRASE or a prompt.`;

const FOLDER = '$XDG_DATA_HOME/edge-infer/vendor, else ~/.local/share/edge-infer/vendor';
const kindOption = () => new Option('--kind <kind>', 'Kind of licence: trial or permanent.');
const requestOption = () =>
  new Option(
    '--request <file>',
    "The customer's request in any of its forms; - is standard input.",
  );
const keyOption = (what: string) => new Option('--key <file>', what);
const gpuOption = () =>
  new Option('--gpu <number>', 'Which card of a request that names several, from 0.');
const weakOption = () =>
  new Option(
    '--accept-weak',
    'Take a host that could be copied, such as a virtual machine without a UUID.',
  );
const outOption = () =>
  new Option(
    '--out <file>',
    'Write the licence here (default: LIC_ID.lic); never over another file.',
  );
const passphraseOption = () =>
  new Option('--passphrase-file <file>', 'Take the passphrase from the first line of this file.');
const registerOption = () =>
  new Option('--register <file>', `The register (default: register.jsonl in ${FOLDER}).`);
const buildOption = () =>
  new Option(
    '--build <file>',
    "What the releases accept (default: this release's license/build.json).",
  );
const jsonOption = (what: string) => new Option('--json', what);

function createKeygenCommand(): Command {
  return new Command('keygen')
    .summary('Make a signing key.')
    .description(
      'Makes an Ed25519 signing key, encrypted under a passphrase, and prints the entry by which a release knows it. Trials, permanent licences and releases have keys of their own.',
    )
    .option(
      '--kind <kind>',
      'What it signs: trial or permanent licences, or the archives of a release.',
    )
    .option('--out <file>', `Write the key here (default: KEY_ID.key in ${FOLDER}).`)
    .option('--add-to <file>', 'Put the entry into this license/build.json as well.')
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      `${PASSPHRASE_HELP}
A key file is readable for its owner alone and never overwritten. Keep a copy of it and of its
passphrase apart from each other: nobody can make it again.

Examples:
  edge-infer vendor keygen --kind trial --out trial.key --add-to license/build.json
  edge-infer vendor keygen --kind permanent --out permanent.key --add-to license/build.json
  edge-infer vendor keygen --kind release --out release.key`,
    )
    .action(async (options: Options) => {
      const { runKeygen } = await import('../vendor/keygen.ts');
      await runKeygen(options);
    });
}

type Options = Readonly<Record<string, unknown>>;

function createIssueCommand(): Command {
  return new Command('issue')
    .summary('Sign a licence for the host or graphics card of a request.')
    .description(
      'Signs a licence for the host or graphics card of a request, records it in the register and writes its file.',
    )
    .addOption(requestOption())
    .addOption(kindOption())
    .option('--tier <tier>', 'What it is bound to: cpu, a host; gpu, one graphics card.')
    .option('--deploy-name <name>', 'The service in the request path that it is for.')
    .option('--customer <name>', 'Whom it is sold to.')
    .addOption(keyOption('The signing key, of the same kind.'))
    .option('--days <number>', 'How long a trial runs from now (default: 30).')
    .option('--updates-until <date>', 'The last day whose releases it covers (default: all).')
    .option('--container <rule>', 'Whether it works in a container: allow or deny (default: deny).')
    .option('--models <name...>', 'Models that it is for (default: any).')
    .addOption(gpuOption())
    .addOption(weakOption())
    .addOption(outOption())
    .addOption(registerOption())
    .addOption(buildOption())
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      `${PASSPHRASE_HELP}

Examples:
  edge-infer vendor issue --request acme.req --kind trial --tier cpu --deploy-name imagenet --customer "ACME Ltd" --key trial.key --out acme-trial.lic
  edge-infer vendor issue --request acme.req --kind permanent --tier cpu --deploy-name imagenet --customer "ACME Ltd" --updates-until 2028-12-31 --key permanent.key --out acme.lic`,
    )
    .action(async (options: Options) => {
      const { runIssue } = await import('../vendor/issue.ts');
      await runIssue(options);
    });
}

function createReissueCommand(): Command {
  return new Command('reissue')
    .summary('Move a licence to another host.')
    .description(
      'Signs an issued licence anew for another host: with the proof that the old host gave it up, or for one that is dead. A trial keeps its end. Each licence is replaced once.',
    )
    .option(
      '--release <file>',
      'The proof that "edge-infer license release" wrote on the old host.',
    )
    .option('--lost <lic-id>', 'The licence of a machine that is dead, recorded as such.')
    .addOption(requestOption())
    .addOption(keyOption('The signing key, of the kind of the licence.'))
    .addOption(gpuOption())
    .addOption(weakOption())
    .addOption(outOption())
    .addOption(registerOption())
    .addOption(buildOption())
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      `${PASSPHRASE_HELP}

Examples:
  edge-infer vendor reissue --release acme.release --request acme-new.req --key permanent.key
  edge-infer vendor reissue --lost lic-0123456789abcdef0123 --request acme-new.req --key permanent.key`,
    )
    .action(async (options: Options) => {
      const { runReissue } = await import('../vendor/reissue.ts');
      await runReissue(options);
    });
}

function createRevokeCommand(): Command {
  return new Command('revoke')
    .summary('Withdraw licences.')
    .description(
      'Records that licences are withdrawn and signs the list of all that are, which the next release carries in license/revoked.lic and an operator can lay beside the licences. Without a licence it signs the list again.',
    )
    .argument('[lic-id...]', 'Licences to withdraw.')
    .addOption(keyOption('A signing key for permanent licences.'))
    .option('--reason <text>', 'Why: in the list, which anybody can read.')
    .option('--unregistered', 'Take ids that the register does not know, or do without a register.')
    .option('--out <file>', 'The list, written again (default: revoked.lic beside --build).')
    .addOption(registerOption())
    .addOption(buildOption())
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      `${PASSPHRASE_HELP}
What the list holds already stays in it.

Examples:
  edge-infer vendor revoke lic-0123456789abcdef0123 --reason "never paid" --key permanent.key
  edge-infer vendor revoke --key next-permanent.key`,
    )
    .action(async (licenses: string[], options: Options) => {
      const { runRevoke } = await import('../vendor/revoke.ts');
      await runRevoke(licenses, options);
    });
}

function createResignCommand(): Command {
  return new Command('resign')
    .summary('Sign all live licences of a key again with another.')
    .description(
      'Writes every live licence of the register that a key signed once more, signed with another key: before a release drops the first one.',
    )
    .argument('<old-key-id>', 'The key that goes, as license/build.json names it.')
    .addOption(keyOption('The signing key that comes, of the same kind.'))
    .option('--out-dir <folder>', 'Write the licences into this new folder, each as LIC_ID.lic.')
    .addOption(registerOption())
    .addOption(buildOption())
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      `${PASSPHRASE_HELP}

Examples:
  edge-infer vendor resign permanent-0123456789abcdef --key next-permanent.key --out-dir resigned`,
    )
    .action(async (oldKid: string, options: Options) => {
      const { runResign } = await import('../vendor/resign.ts');
      await runResign(oldKid, options);
    });
}

function createListCommand(): Command {
  return new Command('list')
    .summary('Print what was issued to whom.')
    .description('Prints what was issued to whom and what became of it.')
    .addOption(registerOption())
    .addOption(jsonOption('Print a JSON object a line, with the claims and the file.'))
    .addHelpText('after', '\nExamples:\n  edge-infer vendor list\n  edge-infer vendor list --json')
    .action(async (options: Options) => {
      const { runList } = await import('../vendor/list.ts');
      await runList(options);
    });
}

function createExportCommand(): Command {
  return new Command('export')
    .summary('Write the file of an issued licence again.')
    .description('Writes the file of an issued licence again, as the register holds it.')
    .argument('<lic-id>', 'The licence.')
    .addOption(outOption())
    .addOption(registerOption())
    .addHelpText('after', '\nExamples:\n  edge-infer vendor export lic-0123456789abcdef0123')
    .action(async (licId: string, options: Options) => {
      const { runExport } = await import('../vendor/export.ts');
      await runExport(licId, options);
    });
}

function createInspectCommand(): Command {
  return new Command('inspect')
    .summary('Print what a licence, request, release, list or key file says.')
    .description(
      'Prints what a file says and whether it counts: a licence, a request in any form, a release, a list of withdrawn licences, the open part of a key file. It ends with 65 for one that does not count.',
    )
    .argument('<file>', 'The file; - is standard input.')
    .addOption(buildOption())
    .addOption(jsonOption('Print a JSON object.'))
    .addHelpText(
      'after',
      '\nExamples:\n  edge-infer vendor inspect acme.lic\n  edge-infer vendor inspect --json acme.req\n  edge-infer vendor inspect permanent.key',
    )
    .action(async (file: string, options: Options) => {
      const { runInspect } = await import('../vendor/inspect.ts');
      process.exitCode = await runInspect(file, options);
    });
}
