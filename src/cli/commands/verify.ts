import { Command, InvalidArgumentError } from 'commander';
import { addLocalConfigOptions } from '../local-config.ts';
import type { VerifyOptions } from '../verify/run.ts';

const HELP_AFTER = `
An image agrees when its crop's pixels are those recorded, the first class is the same, and every
recorded score is met within the tolerance. Of golden examples every one is printed, of a reference
those that do not agree. Images that are missing, changed or unreadable are reported, and the
others go on. Ends with 0 when all agree, with 2 when an answer differs, with 1 when nothing
differs but some images could not be compared.

--explain tries what is often done otherwise (another filter, rounding, crop, EXIF orientation,
order of colours, ...) and says what gives exactly the crop that training made. Its picture shows
their crop, ours and the difference. Their crop is known where the reference has crops, and
wherever a way is found that gives its SHA-256. From their crop on it tries the usual ways to
normalise, the other order of colours and the other activations, until the scores are met.

Examples:
  edge-infer verify
  edge-infer verify efficientnet-lite0 --json
  edge-infer verify --explain golden/coffee.png
  edge-infer verify ./my-model --reference reference.jsonl --images photos`;

/** `edge-infer verify [MODEL]`: does this host answer as training did? */
export function createVerifyCommand(): Command {
  const command = new Command('verify')
    .summary('Compare answers with those of training, image by image.')
    .description(
      'Classifies the golden examples of a model, or the images of a reference that was exported where it was trained, and compares crop, class and scores with those recorded.',
    )
    .argument(
      '[model]',
      "A folder's name under the models folder, or, with a slash in it, a path (default: the model of the first service).",
    )
    .option(
      '--reference <file>',
      'Compare with the answers in this file, as scripts/export-reference writes it.',
    )
    .option(
      '--images <folder>',
      "What the reference's images are relative to (default: the folder of the reference).",
    )
    .option(
      '--allow-other-model',
      'Compare even though the reference was made with another model file.',
    )
    .option(
      '--tolerance <difference>',
      "By how much a score may differ (default: the manifest's golden.scoreTolerance).",
      parseTolerance,
    )
    .option(
      '--explain <image>',
      'Find out why the crop of this image differs, and draw both crops.',
    )
    .option(
      '--picture <file>',
      'Where --explain writes its picture, a PNG (default: explain-IMAGE.png in this folder).',
    )
    .option('--crops <folder>', "Where the reference's crops lie (default: where it says).")
    .option('--json', 'Print a JSON object a line: one an image, then {"summary"}.')
    .addHelpText('after', HELP_AFTER)
    .action(async (model: string | undefined, options: VerifyOptions) => {
      const { runVerify } = await import('../verify/run.ts');
      process.exitCode = await runVerify(model, options, command);
    });
  return addLocalConfigOptions(command);
}

function parseTolerance(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0 && number <= 1)) {
    throw new InvalidArgumentError(`Expected a number from 0 to 1, found "${text}".`);
  }
  return number;
}
