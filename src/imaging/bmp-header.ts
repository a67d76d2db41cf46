import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { unreadable } from './refusal.ts';

/** How the pixels are stored: rows, 4- or 8-bit run lengths. */
type BmpCoding = 'rows' | 'rle4' | 'rle8';

/** Rows of samples: an index into the palette, a 16-bit word, or a byte for each colour. */
export type BmpSamples =
  | { readonly kind: 'index' }
  | { readonly kind: 'word'; readonly greenBits: 5 | 6 }
  /** Offsets of red, green and blue within a pixel of `bytes`. */
  | {
      readonly kind: 'bytes';
      readonly bytes: 3 | 4;
      readonly order: readonly [number, number, number];
    };

export interface BmpHeader {
  readonly format: 'bmp';
  readonly width: number;
  readonly height: number;
  /** Bits a pixel: 1, 4, 8, 16, 24 or 32. */
  readonly bits: number;
  readonly topDown: boolean;
  readonly coding: BmpCoding;
  readonly samples: BmpSamples;
  /** File offset of the palette, its entries and the bytes of each; no entries above 8 bits. */
  readonly palette: {
    readonly offset: number;
    readonly entries: number;
    readonly entryBytes: 3 | 4;
  };
  /** File offset of the first stored row. */
  readonly dataOffset: number;
}

/** Offset of the DIB header, after the file header. */
const dibAt = 14;
/** Lengths of the headers Pillow knows: OS/2 1, Windows 3, with masks, OS/2 2, Windows 4 and 5. */
const knownHeaders = new Set([12, 40, 52, 56, 64, 108, 124]);

const compressions = { rows: 0, rle8: 1, rle4: 2, bitFields: 3 } as const;

/** Mask layouts of 32 bits that Pillow takes, as `red green blue alpha`, and where their bytes are. */
const layouts32: Readonly<Record<string, readonly [number, number, number]>> = {
  'ff0000 ff00 ff 0': [2, 1, 0],
  'ff000000 ff0000 ff00 0': [3, 2, 1],
  'ff000000 ff00 ff 0': [3, 1, 0],
  'ff000000 ff0000 ff00 ff': [3, 2, 1],
  'ff ff00 ff0000 ff000000': [0, 1, 2],
  'ff0000 ff00 ff ff000000': [2, 1, 0],
  'ff000000 ff00 ff ff0000': [3, 1, 0],
  '0 0 0 0': [2, 1, 0],
};

export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d;
}

/** Reads the file and DIB headers as Pillow 13's BmpImagePlugin does; no pixel is looked at. */
export function readBmpHeader(bytes: Uint8Array): Result<BmpHeader, Fault> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < dibAt + 4) return unreadable('BMP: the file ends inside its header');
  const headerSize = view.getUint32(dibAt, true);
  if (!knownHeaders.has(headerSize)) {
    return unreadable(`BMP: unknown header of ${headerSize} bytes`);
  }
  const afterHeader = dibAt + headerSize;
  if (bytes.length < afterHeader) return unreadable('BMP: the file ends inside its header');

  const old = headerSize === 12;
  const storedHeight = old ? view.getUint16(20, true) : view.getUint32(22, true);
  // Pillow takes the height for negative when its highest byte is all ones.
  const topDown = !old && bytes[25] === 0xff;
  const width = old ? view.getUint16(18, true) : view.getUint32(18, true);
  const height = topDown ? 2 ** 32 - storedHeight : storedHeight;
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? compressions.rows : view.getUint32(30, true);
  const storedColours = old ? 0 : view.getUint32(46, true);
  if (width === 0 || height === 0) return unreadable(`BMP: the sides are ${width}x${height}`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) {
    return unreadable(`BMP: expected 1, 4, 8, 16, 24 or 32 bits a pixel, found ${bits}`);
  }

  const separateMasks = compression === compressions.bitFields && headerSize === 40;
  const afterMasks = afterHeader + (separateMasks ? 12 : 0);
  if (bytes.length < afterMasks) return unreadable('BMP: the file ends inside its masks');
  const samples = readSamples(view, bits, compression, headerSize);
  if (samples === undefined) return unreadable(`BMP: unsupported masks for ${bits} bits`);
  if (compression > 3) return unreadable(`BMP: compression ${compression}`);

  const entries = bits > 8 ? 0 : storedColours === 0 ? 2 ** bits : storedColours;
  const entryBytes = old ? 3 : 4;
  if (entries > 65536) return unreadable(`BMP: a palette of ${entries} colours`);
  const fileOffset = view.getUint32(10, true);
  const paletteEnd = Math.min(bytes.length, afterMasks + entries * entryBytes);
  let dataOffset = fileOffset === 0 ? paletteEnd : fileOffset;
  if (fileOffset === afterHeader) dataOffset += entries * entryBytes;
  return ok({
    format: 'bmp',
    width,
    height,
    bits,
    topDown,
    coding: compression === 1 ? 'rle8' : compression === 2 ? 'rle4' : 'rows',
    samples,
    palette: { offset: afterMasks, entries, entryBytes },
    dataOffset,
  });
}

function readSamples(
  view: DataView,
  bits: number,
  compression: number,
  headerSize: number,
): BmpSamples | undefined {
  if (compression !== compressions.bitFields) {
    if (bits <= 8) return { kind: 'index' };
    if (bits === 16) return { kind: 'word', greenBits: 5 };
    return { kind: 'bytes', bytes: bits === 24 ? 3 : 4, order: [2, 1, 0] };
  }
  // Masks follow a header of 40 bytes and are part of the longer ones: at the same place.
  const masks = [0, 1, 2].map((i) => view.getUint32(dibAt + 40 + i * 4, true).toString(16));
  const alpha = headerSize >= 56 ? view.getUint32(dibAt + 52, true).toString(16) : '0';
  const rgb = masks.join(' ');
  if (bits === 16 && rgb === 'f800 7e0 1f') return { kind: 'word', greenBits: 6 };
  if (bits === 16 && rgb === '7c00 3e0 1f') return { kind: 'word', greenBits: 5 };
  if (bits === 24 && rgb === 'ff0000 ff00 ff') return { kind: 'bytes', bytes: 3, order: [2, 1, 0] };
  const order = bits === 32 ? layouts32[`${rgb} ${alpha}`] : undefined;
  return order === undefined ? undefined : { kind: 'bytes', bytes: 4, order };
}
