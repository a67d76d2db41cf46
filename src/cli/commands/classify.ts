import { Command, InvalidArgumentError, Option } from 'commander';
import type { ClassifyOptions } from '../classify/run.ts';
import { addLocalConfigOptions } from '../local-config.ts';

const DEFAULT_TOP = 5;

const HELP_AFTER = `
Examples:
  edge-infer classify models/efficientnet-lite0/golden/coffee.png
  edge-infer classify --top 1 models/efficientnet-lite0/golden
  edge-infer classify --json models/efficientnet-lite0/golden/*.png
  edge-infer classify --csv --model efficientnet-lite0 models > results.csv

Folders are searched for .jpg, .jpeg, .png and .bmp files, in order of name; linked folders are
not entered. A file that is named itself is always tried. Results come in the order of the files.
Images are held to the limits of the service, except that of 4 MiB, which concerns only base64.
A bad file is reported with the service's error code, and the others go on.

A licence is asked for as by the server: that of the service or, with --model, of any service that
is configured and might be given this model.

--json prints an object a line: {"file","results":[{"name","score"}]}, or
{"file","error":{"code","message","detail"}}, where the code is a number for an image that the
service would refuse and a name such as "EACCES" for a file that cannot be read.
--csv prints the columns file,place,class,score,error_code,error_detail.`;

/** `edge-infer classify FILE|FOLDER...`: the server's own workers, without HTTP. */
export function createClassifyCommand(): Command {
  const command = new Command('classify')
    .summary('Classify image files without a server.')
    .description('Classifies image files and whole folders with the model of a service.')
    .argument('<file...>', 'Image files, and folders that are searched for them.')
    .option('--service <name>', 'Take the model of this service (default: the first configured).')
    .addOption(
      new Option(
        '--model <name>',
        "Take this model: a folder's name under the models folder, or, with a slash in it, a path.",
      ).conflicts('service'),
    )
    .option(
      '--top <n>',
      'How many classes to print for each file.',
      parseWholeNumber,
      DEFAULT_TOP as number,
    )
    .option('--json', 'Print a JSON object a line.')
    .addOption(
      new Option('--csv', 'Print comma-separated values, a row a file and class.').conflicts(
        'json',
      ),
    )
    .addHelpText('after', HELP_AFTER)
    .action(async (files: string[], options: ClassifyOptions) => {
      const { runClassify } = await import('../classify/run.ts');
      process.exitCode = await runClassify(files, options, command);
    });
  return addLocalConfigOptions(command);
}

function parseWholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError(`Expected a whole number of at least 1, found "${text}".`);
  }
  return number;
}
