import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

/** The golden photos of a model as JPEGs of 500 x 375, some 80 to 110 KB each, like ImageNet's. */
export async function makeSmallJpegs(folder: string): Promise<Buffer[]> {
  const names = (await readdir(folder)).filter((name) => /\.(png|jpg)$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) =>
      sharp(await readFile(join(folder, name)))
        .resize(500, 375, { fit: 'cover' })
        .toColourspace('srgb')
        .jpeg({ quality: 98 })
        .toBuffer(),
    ),
  );
}

/** A JPEG of 4000 x 3000: four by four of the small ones, each enlarged twofold. */
export async function makeLargeJpeg(small: readonly Buffer[]): Promise<Buffer> {
  const tiles = await Promise.all(
    small.map((jpeg) => sharp(jpeg).resize(1000, 750).raw().toBuffer()),
  );
  const raw = { width: 1000, height: 750, channels: 3 } as const;
  return sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'black' } })
    .composite(
      Array.from({ length: 16 }, (_, i) => ({
        input: tiles[i % tiles.length] as Buffer,
        raw,
        left: (i % 4) * 1000,
        top: Math.floor(i / 4) * 750,
      })),
    )
    .jpeg({ quality: 92 })
    .toBuffer();
}
