import type { Pixels } from '../../../imaging/pixels.ts';
import { loadLetters } from './letters.ts';

interface Panel {
  readonly pixels: Pixels;
  /** Paragraphs. */
  readonly caption: readonly string[];
}

/** Small crops are enlarged by a whole number to about this side, so that pixels can be seen. */
const PANEL_PX = 448;
const LEAST_CAPTION_PX = 300;
const MARGIN_PX = 24;
const GAP_PX = 8;
const WHITE = 255;

/** Panels side by side with a caption below each, and paragraphs above them all. */
export async function drawPicture(
  heading: readonly string[],
  panels: readonly Panel[],
): Promise<Pixels> {
  const letters = await loadLetters();
  const [first] = panels;
  const { width = 1, height = 1 } = first?.pixels ?? {};
  const factor = Math.max(1, Math.floor(PANEL_PX / Math.max(width, height)));
  const columnPx = Math.max(width * factor, LEAST_CAPTION_PX);
  const totalPx = MARGIN_PX + panels.length * (columnPx + MARGIN_PX);
  const headingLines = heading.flatMap((text) => letters.wrap(text, totalPx - 2 * MARGIN_PX));
  const captions = panels.map(({ caption }) =>
    caption.flatMap((text) => letters.wrap(text, columnPx)),
  );
  const captionLines = Math.max(...captions.map(({ length }) => length));
  const panelsTop = MARGIN_PX + headingLines.length * letters.lineHeight + GAP_PX;
  const captionsTop = panelsTop + height * factor + GAP_PX;
  const canvas: Pixels = createCanvas(
    totalPx,
    captionsTop + captionLines * letters.lineHeight + MARGIN_PX,
  );

  writeLines(headingLines, MARGIN_PX, MARGIN_PX);
  for (const [index, { pixels }] of panels.entries()) {
    const left = MARGIN_PX + index * (columnPx + MARGIN_PX);
    paste(pixels, canvas, left, panelsTop, factor);
    writeLines(captions[index] ?? [], left, captionsTop);
  }
  return canvas;

  function writeLines(lines: readonly string[], left: number, top: number): void {
    for (const [index, line] of lines.entries()) {
      letters.draw(canvas, line, left, top + index * letters.lineHeight);
    }
  }
}

function createCanvas(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height * 3).fill(WHITE), width, height, channels: 3 };
}

/** Every pixel becomes a square of `factor` pixels; grey becomes RGB. */
function paste(pixels: Pixels, canvas: Pixels, left: number, top: number, factor: number): void {
  for (let y = 0; y < pixels.height * factor; y++) {
    for (let x = 0; x < pixels.width * factor; x++) {
      const from = Math.floor(y / factor) * pixels.width + Math.floor(x / factor);
      const to = ((top + y) * canvas.width + left + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const at = from * pixels.channels + (pixels.channels === 3 ? channel : 0);
        canvas.data[to + channel] = pixels.data[at] as number;
      }
    }
  }
}
