import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../core/result.ts';
import {
  type AnswerComparison,
  type createAnswerComparer,
  EVERY_CLASS,
} from '../../inference/recorded-answer.ts';
import type { ImageService } from '../../inference/service.ts';
import { describeFault, type FileError } from '../classify/file-result.ts';
import { readImage } from '../classify/read-image.ts';
import type { RecordedImage } from './recording.ts';

/** One image, compared or not. */
export type ImageOutcome = { readonly image: string } & (
  | { readonly comparison: AnswerComparison }
  | { readonly error: FileError }
);

export type AnswerComparer = ReturnType<typeof createAnswerComparer>;

/** Never rejects: whatever is wrong with an image is its outcome. */
export async function compareImage(
  recorded: RecordedImage,
  service: ImageService,
  compare: AnswerComparer,
): Promise<ImageOutcome> {
  const { image } = recorded;
  const bytes = await readRecordedImage(recorded);
  if (!bytes.ok) {
    return { image, error: bytes.error };
  }
  const { outcome, cropSha256 } = await service.classifyImage(bytes.value, EVERY_CLASS);
  return outcome.ok
    ? { image, comparison: compare(recorded.answer, { ranking: outcome.value, cropSha256 }) }
    : { image, error: describeFault(outcome.error) };
}

/** Reads the image's file, which must be the very one that was recorded. */
export async function readRecordedImage({
  path,
  sha256,
}: RecordedImage): Promise<Result<Uint8Array<ArrayBuffer>, FileError>> {
  const bytes = await readImage(path);
  if (!bytes.ok || sha256 === undefined) {
    return bytes;
  }
  const found = createHash('sha256').update(bytes.value).digest('hex');
  return found === sha256
    ? ok(bytes.value)
    : err({
        code: 'CHANGED',
        message: 'not the file that was recorded',
        detail: `expected SHA-256 ${sha256}, found ${found}; it is not the file that the reference was made from`,
      });
}
