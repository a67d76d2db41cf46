import { writeFile } from 'node:fs/promises';
import { parse, relative, resolve } from 'node:path';
import { exitCodes, OperatorError } from '../../../core/errors.ts';
import { encodePng } from '../../../imaging/encode-png.ts';
import type { ImageService } from '../../../inference/service.ts';
import { writeOutput } from '../../output.ts';
import { printable } from '../../text-table.ts';
import type { AnswerComparer } from '../compare-image.ts';
import type { RecordedImage, Recording } from '../recording.ts';
import { formatScores } from '../report.ts';
import { explainImage } from './explain.ts';

interface ExplainOptions {
  /** Where the picture is written. */
  readonly picture?: string;
  readonly json?: true;
}

/**
 * Finds an image by its name in the recording or by its path. Throws an OperatorError (exit
 * NO_INPUT) when the recording does not have it.
 */
export async function findRecorded(recording: Recording, wanted: string): Promise<RecordedImage> {
  const names = [wanted, relative(recording.folder, resolve(wanted))];
  for await (const recorded of recording.images()) {
    if (names.includes(recorded.image)) {
      return recorded;
    }
  }
  throw new OperatorError(
    'NO_INPUT',
    `--explain ${wanted}: expected an image of ${recording.title}, found none of that name`,
  );
}

/** Prints why an image's crop differs, and writes the picture; resolves to the exit code. */
export async function runExplain(
  recorded: RecordedImage,
  service: ImageService,
  compare: AnswerComparer,
  options: ExplainOptions,
): Promise<number> {
  const { comparison, text, manifest, difference, picture } = await explainImage(
    recorded,
    service,
    compare,
  );
  const file = options.picture ?? `explain-${parse(recorded.image).name}.png`;
  if (picture !== undefined) {
    await writePicture(file, await encodePng(picture));
  }
  const written = picture === undefined ? undefined : file;
  if (options.json === true) {
    const explanation = { text, manifest, difference, picture: written };
    await writeOutput(`${JSON.stringify({ image: recorded.image, ...comparison, explanation })}\n`);
  } else {
    const { recordedFirst, hereFirst, isSameClass } = comparison;
    const classes = isSameClass ? [recordedFirst] : [recordedFirst, hereFirst];
    const lines = [
      printable(recorded.image),
      ...classes.map((each) => `    ${formatScores(each)}`),
      '',
      ...text,
      ...(written === undefined
        ? []
        : [`Their crop, ours and the difference: ${printable(written)}`]),
    ];
    await writeOutput(lines.map((line) => `${line}\n`).join(''));
  }
  return comparison.agrees ? exitCodes.OK : exitCodes.DIFFERENT;
}

async function writePicture(file: string, png: Uint8Array): Promise<void> {
  try {
    await writeFile(file, png);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError('OS', `--picture ${file}: cannot be written (${code})`, {
      cause: error,
    });
  }
}
