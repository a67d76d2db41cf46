import { readFile } from 'node:fs/promises';
import { describeReadError } from '../../../catalog/model-files.ts';
import { OperatorError } from '../../../core/errors.ts';
import { decodeImage } from '../../../imaging/decode.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import { probeImage } from '../../../imaging/probe.ts';
import type { RecordedImage } from '../recording.ts';
import { hashPixels, type TheirCrop } from './find-cause.ts';

/**
 * What was recorded of the crop that training made; undefined where nothing was. Throws an
 * OperatorError (exit DATA) when the file of the crop is not the one that was recorded.
 */
export async function readTheirCrop(
  { answer, cropFile }: RecordedImage,
  ours: Pixels,
): Promise<TheirCrop | undefined> {
  const recorded = answer.cropSha256;
  const pixels = cropFile === undefined ? undefined : await readCropFile(cropFile, ours);
  if (cropFile !== undefined && pixels !== undefined && recorded !== undefined) {
    const found = hashPixels(pixels);
    if (found !== recorded) {
      throw new OperatorError(
        'DATA',
        `${cropFile}: expected a crop with SHA-256 ${recorded}, found ${found}; it belongs to another reference`,
      );
    }
  }
  const sha256 = recorded ?? (pixels && hashPixels(pixels));
  return sha256 === undefined ? undefined : { sha256, pixels };
}

/** Undefined where there is no such file. */
async function readCropFile(path: string, ours: Pixels): Promise<Pixels | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw new OperatorError('OS', describeReadError(path, error), { cause: error });
  }
  const header = probeImage(bytes);
  const sides = `${ours.width}x${ours.height}`;
  const found = header.ok ? `${header.value.width}x${header.value.height}` : header.error.detail;
  if (!header.ok || found !== sides) {
    throw new OperatorError('DATA', `${path}: expected a crop of ${sides}, found ${found}`);
  }
  const colour = ours.channels === 1 ? 'grey' : 'rgb';
  const pixels = await decodeImage(bytes, header.value, { colour, exifOrientation: 'ignore' });
  if (!pixels.ok) {
    throw new OperatorError('DATA', `${path}: ${pixels.error.detail}`);
  }
  return pixels.value;
}
