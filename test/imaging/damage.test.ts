import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/imaging/decode.ts';
import { checkSides, probeImage } from '../../src/imaging/probe.ts';

const fixtures = new URL('../fixtures/imaging/', import.meta.url);
const files = readdirSync(fixtures).filter((name) => !name.endsWith('.json'));

/** A small seeded generator (mulberry32): the same damage in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function damage(bytes: Buffer, random: (below: number) => number): Buffer {
  const damaged = Buffer.from(bytes);
  for (let i = random(8); i >= 0; i--) {
    const reach = random(2) === 0 ? Math.min(120, damaged.length) : damaged.length;
    damaged[random(reach)] = random(3) === 0 ? 0xff : random(256);
  }
  return random(4) === 0 ? damaged.subarray(0, random(damaged.length)) : damaged;
}

/** A PNG's checksums put right, so that the decoder gets to see the damage behind them. */
function mendChecksums(png: Buffer): Buffer {
  let at = 8;
  while (at + 12 <= png.length) {
    const end = at + 8 + png.readUInt32BE(at);
    if (end + 4 > png.length) break;
    png.writeUInt32BE(crc32(png.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return png;
}

describe.each(['jpg', 'png', 'bmp'])('300 damaged .%s files', (suffix) => {
  it('are each decoded whole or refused as unreadable, never with an exception', async () => {
    const sources = files.filter((name) => name.endsWith(suffix));
    const random = generator(20_000 + suffix.charCodeAt(0));
    const outcomes = { decoded: 0, refused: 0 };
    for (let i = 0; i < 300; i++) {
      const name = sources[random(sources.length)] ?? '';
      const damaged = damage(readFileSync(new URL(name, fixtures)), random);
      const bytes = suffix === 'png' && i % 4 > 0 ? mendChecksums(damaged) : damaged;
      const header = probeImage(bytes);
      if (header.ok && checkSides(header.value) !== undefined) continue;
      const outcome = header.ok
        ? await decodeImage(bytes, header.value, { colour: 'rgb', exifOrientation: 'apply' })
        : header;
      if (outcome.ok) {
        const { data, width, height, channels } = outcome.value;
        expect(data.length, name).toBe(width * height * channels);
        outcomes.decoded++;
      } else {
        expect(outcome.error.code, name).toBe('IMAGE_UNREADABLE');
        expect(outcome.error.detail.length, name).toBeLessThan(300);
        outcomes.refused++;
      }
    }
    expect(outcomes.decoded).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(20);
  });
});

describe('bytes inside a larger buffer', () => {
  it.each(['jpeg-127x131.jpg', 'png-3-4.png', 'bmp-8-rle.bmp'])(
    '%s decodes the same',
    async (name) => {
      const bytes = readFileSync(new URL(name, fixtures));
      const inside = Buffer.alloc(bytes.length + 14, 0xff);
      bytes.copy(inside, 7);
      const results = [];
      for (const part of [bytes, inside.subarray(7, 7 + bytes.length)]) {
        const header = probeImage(part);
        if (!header.ok) throw new Error(header.error.detail);
        results.push(
          await decodeImage(part, header.value, { colour: 'rgb', exifOrientation: 'ignore' }),
        );
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[0]?.ok).toBe(true);
    },
  );
});

describe('a JPEG cut anywhere', () => {
  it.each(['jpeg-grey-progressive.jpg', 'jpeg-thumbnail.jpg', 'jpeg-restart-blocks.jpg'])(
    'is refused: %s',
    async (name) => {
      const bytes = readFileSync(new URL(name, fixtures));
      for (let length = 20; length < bytes.length; length += 41) {
        const part = bytes.subarray(0, length);
        const header = probeImage(part);
        const outcome = header.ok
          ? await decodeImage(part, header.value, { colour: 'grey', exifOrientation: 'ignore' })
          : header;
        expect(outcome.ok, `${length} bytes`).toBe(false);
      }
    },
  );
});

describe('a JPEG of many scans', () => {
  it('is refused beyond 100 of them, each being cheap to send and dear to decode', async () => {
    const bytes = readFileSync(new URL('jpeg-grey-progressive.jpg', fixtures));
    const lastScan = bytes.subarray(bytes.lastIndexOf(Buffer.from('ffda', 'hex')), -2);
    const many = (count: number) =>
      Buffer.concat([
        bytes.subarray(0, -2),
        ...Array.from({ length: count }, () => lastScan),
        Buffer.from('ffd9', 'hex'),
      ]);
    const header = probeImage(bytes);
    if (!header.ok) throw new Error(header.error.detail);
    const options = { colour: 'grey', exifOrientation: 'ignore' } as const;
    expect(await decodeImage(many(80), header.value, options)).toMatchObject({ ok: true });
    const refused = await decodeImage(many(100), header.value, options);
    expect(refused).toMatchObject({ ok: false, error: { detail: 'JPEG: more than 100 scans' } });
  });
});
