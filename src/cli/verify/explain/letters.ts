import { readFile } from 'node:fs/promises';
import { decodeImage } from '../../../imaging/decode.ts';
import type { Pixels } from '../../../imaging/pixels.ts';
import { probeImage } from '../../../imaging/probe.ts';

/** Written by `scripts/caption-font`, which says how it is laid out. */
const SHEET = new URL('letters.png', import.meta.url);
const FIRST_CHARACTER = 32;
const MARK = 255;

/** Draws text without a font of the host: what it has differs, and servers often have none. */
export interface Letters {
  readonly lineHeight: number;
  /** Breaks a text between words into lines of at most `width` pixels. */
  wrap(text: string, width: number): string[];
  /** Darkens `canvas` (RGB) where the letters are; characters beyond ASCII become "?". */
  draw(canvas: Pixels, text: string, left: number, top: number): void;
}

export async function loadLetters(): Promise<Letters> {
  const sheet = await readSheet();
  const starts: number[] = [];
  for (let column = 0; column < sheet.width; column++) {
    if (sheet.data[column] === MARK) {
      starts.push(column);
    }
  }

  function columnsOf(character: string): { from: number; to: number } {
    const index = character.charCodeAt(0) - FIRST_CHARACTER;
    const from = starts[index];
    const to = starts[index + 1];
    return from === undefined || to === undefined ? columnsOf('?') : { from, to };
  }

  function measure(text: string): number {
    let width = 0;
    for (const character of text) {
      const { from, to } = columnsOf(character);
      width += to - from;
    }
    return width;
  }

  return {
    lineHeight: sheet.height,
    wrap(text, width) {
      const lines: string[] = [];
      for (const word of text.split(' ')) {
        const longer = `${lines.at(-1)} ${word}`;
        if (lines.length > 0 && measure(longer) <= width) {
          lines[lines.length - 1] = longer;
        } else {
          lines.push(word);
        }
      }
      return lines;
    },
    draw(canvas, text, left, top) {
      let x = left;
      for (const character of text) {
        const { from, to } = columnsOf(character);
        for (let row = 1; row < sheet.height; row++) {
          for (let column = from; column < to && x + column - from < canvas.width; column++) {
            const ink = sheet.data[row * sheet.width + column] as number;
            darken(canvas, x + column - from, top + row, ink);
          }
        }
        x += to - from;
      }
    },
  };
}

function darken(canvas: Pixels, x: number, y: number, ink: number): void {
  const at = (y * canvas.width + x) * canvas.channels;
  for (let channel = 0; channel < canvas.channels && y < canvas.height; channel++) {
    canvas.data[at + channel] = ((canvas.data[at + channel] as number) * (255 - ink)) / 255;
  }
}

async function readSheet(): Promise<Pixels> {
  const bytes = await readFile(SHEET);
  const header = probeImage(bytes);
  const pixels = header.ok
    ? await decodeImage(bytes, header.value, { colour: 'grey', exifOrientation: 'ignore' })
    : header;
  if (!pixels.ok) {
    throw new Error(`${SHEET.pathname}: ${pixels.error.detail}`);
  }
  return pixels.value;
}
