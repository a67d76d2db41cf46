import { constants, inflateSync } from 'node:zlib';

/** Orientation when a file names none: as stored. */
const asStored = 1;
const orientationTag = 0x0112;
const exifPrefix = 'Exif\0\0';
const xmpPrefix = 'http://ns.adobe.com/xap/1.0/\0';

/**
 * The EXIF orientation (1 to 8) from a JPEG's APP1 payloads: the Exif block's tag, else the XMP
 * packet's, as Pillow looks for it. Broken metadata counts as none, and so does a number that is
 * no orientation.
 */
export function jpegOrientation(app1: readonly Uint8Array[]): number {
  // Pillow joins the blocks of several Exif segments.
  const parts: Uint8Array[] = [];
  let xmp: string | undefined;
  for (const payload of app1) {
    const text = latin1(payload);
    if (text.startsWith(exifPrefix)) parts.push(payload.subarray(exifPrefix.length));
    else if (text.startsWith(xmpPrefix)) xmp = text;
  }
  return known(tiffOrientation(Buffer.concat(parts)) ?? xmpOrientation(xmp));
}

/** The same for a PNG's chunks: eXIf, ImageMagick's raw profile in a text chunk, XMP in iTXt. */
export function pngOrientation(
  chunks: readonly { readonly type: string; readonly data: Uint8Array }[],
): number {
  let exif: Uint8Array | undefined;
  let profile: Uint8Array | undefined;
  let xmp: string | undefined;
  for (const { type, data } of chunks) {
    if (type === 'eXIf') exif = data;
    else {
      const { keyword, text } = pngText(type, data);
      if (keyword === 'Raw profile type exif') profile = rawProfile(text);
      if (keyword === 'XML:com.adobe.xmp') xmp = text;
    }
  }
  return known(tiffOrientation(exif ?? profile) ?? xmpOrientation(xmp));
}

/** After the search: a tag with such a number still comes before another place, as in Pillow. */
function known(found: number | undefined): number {
  return found !== undefined && found >= 1 && found <= 8 ? found : asStored;
}

/** The number of the tag in the first directory of a TIFF structure, which is what Exif is. */
function tiffOrientation(block: Uint8Array | undefined): number | undefined {
  if (block === undefined || block.length < 8) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const mark = latin1(block.subarray(0, 4));
  if (mark !== 'II*\0' && mark !== 'MM\0*') return undefined;
  const little = mark === 'II*\0';
  const directory = view.getUint32(4, little);
  if (directory + 2 > block.length) return undefined;
  const entries = view.getUint16(directory, little);
  let found: number | undefined;
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * 12;
    if (at + 12 > block.length) break;
    if (view.getUint16(at, little) !== orientationTag) continue;
    // Numbers of 16 bits (types 3, 8), 32 (4, 9) and 8 (6); a list of several is no orientation.
    const type = view.getUint16(at + 2, little);
    if (view.getUint32(at + 4, little) !== 1) continue;
    if (type === 3 || type === 8) found = view.getUint16(at + 8, little);
    else if (type === 4 || type === 9) found = view.getUint32(at + 8, little);
    else if (type === 6) found = view.getUint8(at + 8);
  }
  return found;
}

/** The digit that an XMP packet has, or nothing. */
function xmpOrientation(packet: string | undefined): number | undefined {
  const match = packet === undefined ? null : /tiff:Orientation(?:="|>)([0-9])/.exec(packet);
  return match === null ? undefined : Number(match[1]);
}

/** Keyword and text of a tEXt, zTXt or iTXt chunk. */
function pngText(type: string, data: Uint8Array): { keyword: string; text: string } {
  const end = data.indexOf(0);
  if (end < 0) return { keyword: '', text: '' };
  const keyword = latin1(data.subarray(0, end));
  if (type === 'tEXt') return { keyword, text: latin1(data.subarray(end + 1)) };
  if (type === 'zTXt') return { keyword, text: inflateText(data.subarray(end + 2)) };
  // iTXt: compressed?, method, language, translated keyword, text.
  const compressed = data[end + 1] === 1;
  const language = data.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return { keyword, text: '' };
  const text = data.subarray(translated + 1);
  return { keyword, text: compressed ? inflateText(text) : latin1(text) };
}

/** Text is metadata: more than 1 MiB of it (Pillow's limit, too) is not worth the memory. */
function inflateText(data: Uint8Array): string {
  try {
    return latin1(
      inflateSync(data, { maxOutputLength: 1024 * 1024, finishFlush: constants.Z_SYNC_FLUSH }),
    );
  } catch {
    // Broken or too long: an image is not refused for its metadata.
    return '';
  }
}

/** ImageMagick's form: a line with the name, one with the length, then hexadecimal digits. */
function rawProfile(text: string): Uint8Array {
  const digits = text.split('\n').slice(3).join('');
  const bytes = Buffer.from(digits, 'hex');
  return latin1(bytes.subarray(0, 6)) === exifPrefix ? bytes.subarray(6) : bytes;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
