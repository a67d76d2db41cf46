import { stat } from 'node:fs/promises';
import { describeReadError } from '../../catalog/model-files.ts';
import { OperatorError } from '../../core/errors.ts';
import { readLines } from './lines.ts';
import {
  parseHeader,
  parseImage,
  type ReferenceHeader,
  type ReferenceImage,
} from './reference-format.ts';

/** A line with 30,000 classes takes about 2 MiB. */
const MAX_LINE_BYTES = 16 * 1024 ** 2;
const MAX_LISTED_PROBLEMS = 50;

/** A reference whose every line is right. */
export interface Reference {
  readonly path: string;
  readonly header: ReferenceHeader;
  readonly imageCount: number;
  /** Reads the file once more: its images are never held together. */
  images(): AsyncGenerator<ReferenceImage>;
}

/**
 * Reads a reference through and checks every line. Throws an OperatorError: NO_INPUT when there is
 * no such file, DATA with all problems, each with its line's number.
 */
export async function openReference(path: string): Promise<Reference> {
  try {
    await assertFile(path);
    return await checkLines(path);
  } catch (error) {
    if (error instanceof OperatorError) {
      throw error;
    }
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw new OperatorError(missing ? 'NO_INPUT' : 'OS', describeReadError(path, error), {
      cause: error,
    });
  }
}

/** It is read twice, which a pipe cannot be. */
async function assertFile(path: string): Promise<void> {
  const found = await stat(path);
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a folder' : 'something else';
    throw new OperatorError('DATA', `${path}: expected a file, found ${kind}`);
  }
}

async function checkLines(path: string): Promise<Reference> {
  let header: ReferenceHeader | undefined;
  let imageCount = 0;
  let problemCount = 0;
  const problems: string[] = [];
  for await (const { number, bytes, isCut } of readLines(path, MAX_LINE_BYTES)) {
    if (isBlank(bytes)) {
      continue;
    }
    const parse = header === undefined ? parseHeader : parseImage;
    const parsed = isCut
      ? { ok: false as const, error: ['expected lines of at most 16 MiB, found a longer one'] }
      : parse(bytes);
    if (!parsed.ok) {
      problemCount += parsed.error.length;
      const room = MAX_LISTED_PROBLEMS - problems.length;
      problems.push(...parsed.error.slice(0, room).map((text) => `${path}:${number}: ${text}`));
      if (header === undefined) {
        break; // it is some other file: its further lines would only repeat that
      }
    } else if ('format' in parsed.value) {
      header = parsed.value;
    } else {
      imageCount++;
    }
  }
  if (problems.length > 0 || header === undefined || imageCount === 0) {
    throw new OperatorError('DATA', describe(path, header, problems, problemCount));
  }
  return { path, header, imageCount, images: () => readImages(path) };
}

async function* readImages(path: string): AsyncGenerator<ReferenceImage> {
  let isHeader = true;
  for await (const { number, bytes } of readLines(path, MAX_LINE_BYTES)) {
    if (isBlank(bytes)) {
      continue;
    }
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const parsed = parseImage(bytes);
    if (!parsed.ok) {
      throw new OperatorError('DATA', `${path}:${number}: the file was changed meanwhile`);
    }
    yield parsed.value;
  }
}

function isBlank(line: Buffer): boolean {
  return line.length < 3 && line.toString('latin1').trim() === '';
}

function describe(
  path: string,
  header: ReferenceHeader | undefined,
  problems: readonly string[],
  problemCount: number,
): string {
  if (problems.length === 0) {
    const found = header === undefined ? 'an empty file' : 'only the header';
    return `${path}: expected a header and a line for each image, found ${found}`;
  }
  const more = problemCount - problems.length;
  return [
    `${path} is not a reference as scripts/export-reference writes it:`,
    ...problems.map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}
