import encodeQr from 'qr';
import decodeQr from 'qr/decode.js';

/** Light modules around the code, which readers need (ISO/IEC 18004, 6.3.8). */
const QUIET_ZONE = 4;
const SGR_BLACK_ON_WHITE = '\x1b[30;107m';
const SGR_RESET = '\x1b[0m';
/** Below this side there is nothing left to read. */
const SMALLEST_SIDE = 200;

/**
 * A QR code for a terminal, two modules in each character; lines end with LF. Without `colour` it is
 * drawn for a dark background, and is a negative on a light one, which most readers take too.
 *
 * @param text digits, capital letters and spaces: what a code holds most of
 */
export function drawQrCode(text: string, { colour }: { readonly colour: boolean }): string {
  const modules = encodeQr(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  const isInk = (row: number, column: number) => (modules[row]?.[column] ?? false) === colour;
  const lines = Array.from({ length: Math.ceil(modules.length / 2) }, (_, line) => {
    const characters = modules.map((_row, column) => {
      const upper = isInk(2 * line, column);
      const lower = isInk(2 * line + 1, column);
      if (upper && lower) return '█';
      if (upper) return '▀';
      return lower ? '▄' : ' ';
    });
    const row = characters.join('');
    return colour ? `${SGR_BLACK_ON_WHITE}${row}${SGR_RESET}\n` : `${row}\n`;
  });
  return lines.join('');
}

/** A picture's pixels: `data[(y * width + x) * channels + c]`, 8 bits each. */
export interface QrPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/**
 * The text of the QR code in a picture, undefined when none can be read. What is noisy or out of
 * focus at full size may be read at half of it, so smaller ones are tried in turn.
 */
export function readQrCode(picture: QrPicture): string | undefined {
  for (let tried = picture; ; tried = halve(tried)) {
    try {
      return decodeQr({ data: toRgba(tried), width: tried.width, height: tried.height });
    } catch {
      // The decoder's reasons tell of its steps, not of the picture.
    }
    if (Math.min(tried.width, tried.height) < 2 * SMALLEST_SIDE) return undefined;
  }
}

/** Each pixel the mean of four. */
function halve({ data, width, height, channels }: QrPicture): QrPicture {
  const half = { width: width >> 1, height: height >> 1 };
  const mean = new Uint8Array(half.width * half.height * channels);
  const row = width * channels;
  let to = 0;
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      for (let c = 0; c < channels; c++) {
        const at = 2 * y * row + 2 * x * channels + c;
        const sum =
          byte(data, at) +
          byte(data, at + channels) +
          byte(data, at + row) +
          byte(data, at + row + channels);
        mean[to++] = sum >> 2;
      }
    }
  }
  return { ...half, data: mean, channels };
}

function toRgba({ data, width, height, channels }: QrPicture): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      rgba[4 * pixel + c] = byte(data, pixel * channels + (channels === 1 ? 0 : c));
    }
  }
  return rgba;
}

const byte = (data: Uint8Array, at: number) => data[at] ?? 0;
