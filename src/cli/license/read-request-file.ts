import { err, type Result } from '../../core/result.ts';
import { decodeImage } from '../../imaging/decode.ts';
import { probeImage } from '../../imaging/probe.ts';
import { readQrCode } from '../../licensing/qr-code.ts';
import type { LicenseRequest } from '../../licensing/request.ts';
import { parseRequest } from '../../licensing/request-texts.ts';

/** Three bytes each while it is decoded: more than any telephone takes by default. */
const MAXIMUM_PIXELS = 64_000_000;

/**
 * Reads a request out of whatever it arrived in: its file, typed groups, or a JPEG, PNG or BMP
 * picture of its QR code. The error is a sentence without the file's content.
 */
export async function readRequestFile(bytes: Uint8Array): Promise<Result<LicenseRequest, string>> {
  const header = probeImage(bytes);
  if (!header.ok) {
    const text = new TextDecoder().decode(bytes); // without the mark that Windows puts first
    return /[^\t\n\r\x20-\x7e\p{L}\p{Pd}]/u.test(text.slice(0, 4096))
      ? err('expected text, or a picture in JPEG, PNG or BMP, found another kind of file')
      : parseRequest(text);
  }
  const { width, height } = header.value;
  if (width * height > MAXIMUM_PIXELS) {
    return err(
      `expected a picture of at most ${MAXIMUM_PIXELS / 1e6} million pixels, found ${width}x${height}: make it smaller`,
    );
  }
  const options = { colour: 'grey', exifOrientation: 'ignore' } as const;
  const pixels = await decodeImage(bytes, header.value, options);
  if (!pixels.ok) return err(pixels.error.detail);
  const text = readQrCode(pixels.value);
  return text === undefined
    ? err(
        'expected a picture with a QR code, found none that can be read: take it closer and straighter, without reflections, or use the typed groups',
      )
    : parseRequest(text);
}
