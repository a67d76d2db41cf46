import { stripVTControlCharacters } from 'node:util';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { readRequestFile } from '../../src/cli/license/read-request-file.ts';
import { createRequest } from '../../src/licensing/request.ts';
import {
  drawRequest,
  writeRequestFile,
  writeRequestGroups,
} from '../../src/licensing/request-texts.ts';
import { createRandom } from '../support/mutate.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { largestRequest } from './any-request.ts';

const holder = Buffer.from('holder of thirty-two bytes in all')
  .subarray(0, 32)
  .toString('base64url');
const salt = Buffer.from('0123456789abcdef').toString('base64url');
const request = createRequest(await readRecordedHost('bare-metal'), holder, salt);

// The program lets sharp read JPEG alone, so what is between two steps stays raw.

/** A terminal's window: each character a cell of 9 x 19 pixels, its ink on its paper. */
function screenshot(drawing: string, { ink, paper }: { ink: number; paper: number }): Sharp {
  const rows = stripVTControlCharacters(drawing).trimEnd().split('\n');
  const [cellWidth, cellHeight, margin] = [9, 19, 20];
  const width = (rows[0] ?? '').length * cellWidth + 2 * margin;
  const height = rows.length * cellHeight + 2 * margin;
  const pixels = Buffer.alloc(width * height, paper);
  for (const [row, text] of rows.entries()) {
    for (const [column, character] of [...text].entries()) {
      const from = character === '▄' ? cellHeight >> 1 : 0;
      const to = character === '▀' ? cellHeight >> 1 : cellHeight;
      for (let y = from; y < to && character !== ' '; y++) {
        const start = (margin + row * cellHeight + y) * width + margin + column * cellWidth;
        pixels.fill(ink, start, start + cellWidth);
      }
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 1 } });
}

const onWhite = () => screenshot(drawRequest(request, { colour: true }), { ink: 0, paper: 255 });
const onBlack = () => screenshot(drawRequest(request, { colour: false }), { ink: 220, paper: 15 });
/** What `colour: false` looks like on a light background: a negative. */
const negative = () => screenshot(drawRequest(request, { colour: false }), { ink: 20, paper: 250 });

/** As a telephone would take it: askew, unevenly lit, a little out of focus, noisy, in JPEG. */
async function photograph(degrees: number, quality: number, grain = 25): Promise<Buffer> {
  const { data, info } = await onWhite()
    .resize(1400)
    .affine([1, 0.04, -0.03, 1], { background: '#777' })
    .rotate(degrees, { background: '#777' })
    .extend({ top: 300, bottom: 200, left: 400, right: 250, background: '#543' })
    .blur(1.5)
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const random = createRandom(degrees + 100);
  for (let at = 0; at < data.length; at += info.channels) {
    const light = 0.65 + (0.35 * ((at / info.channels) % info.width)) / info.width;
    data.fill(
      Math.max(0, Math.min(255, (data[at] ?? 0) * light + random(2 * grain + 1) - grain)),
      at,
      at + info.channels,
    );
  }
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } }).jpeg({ quality }).toBuffer();
}

test.each<[string, () => Promise<Buffer>]>([
  ['a screenshot of a light terminal', () => onWhite().png().toBuffer()],
  ['a screenshot of a dark terminal', () => onBlack().png().toBuffer()],
  ['a negative', () => negative().png().toBuffer()],
  ['a JPEG of a screenshot', () => onBlack().jpeg({ quality: 50 }).toBuffer()],
  ['a small screenshot', () => onWhite().resize(240).png().toBuffer()],
  ['a photograph', () => photograph(3, 80)],
  ['a photograph askew', () => photograph(-17, 70)],
  ['a photograph upside down', () => photograph(184, 70)],
  ['a photograph on its side', () => photograph(95, 60)],
  ['a grainy photograph', () => photograph(11, 90, 130)],
  [
    'a noisy photograph of many pixels',
    async () =>
      sharp(await photograph(5, 40))
        .resize(3800)
        .jpeg()
        .toBuffer(),
  ],
])('a request is read from %s', async (_, take) => {
  expect(await readRequestFile(await take())).toEqual({ ok: true, value: request });
});

test('the largest request fits a code', async () => {
  const drawing = drawRequest(largestRequest, { colour: true });
  const picture = await screenshot(drawing, { ink: 0, paper: 255 }).png().toBuffer();
  expect(await readRequestFile(picture)).toEqual({ ok: true, value: largestRequest });
});

test('a request of a usual host fits a terminal of 80 columns and 32 lines', () => {
  const lines = drawRequest(request, { colour: false }).trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(32);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('texts are read from the same kind of file', async () => {
  const expected = { ok: true, value: request };
  expect(await readRequestFile(Buffer.from(writeRequestFile(request)))).toEqual(expected);
  expect(await readRequestFile(Buffer.from(`\ufeff${writeRequestGroups(request)}\r\n`))).toEqual(
    expected,
  );
});

test('a picture without a code, and a file of another kind, are refused with a reason', async () => {
  const grey = { create: { width: 900, height: 700, channels: 3, background: '#888' } } as const;
  expect(await readRequestFile(await sharp(grey).png().toBuffer())).toEqual({
    ok: false,
    error: expect.stringMatching(/expected a picture with a QR code, found none/),
  });
  expect(await readRequestFile(Buffer.from('PK\x03\x04 an archive'))).toEqual({
    ok: false,
    error: 'expected text, or a picture in JPEG, PNG or BMP, found another kind of file',
  });
});
