import sharp from 'sharp';

/** What cameras and ImageNet give: 4:3, a few hundred pixels, 4:2:0, baseline. */
const WIDTH = 500;
const HEIGHT = 375;
const AIMED_BYTES = 100_000;
const LOWEST_QUALITY = 90;

/** Each corner's window, as a share of the largest 4:3 area that the photo has. */
const WINDOW = 0.8;
const CORNERS = [0, 1].flatMap((x) => [0, 1].map((y) => ({ x, y })));

/**
 * Four JPEGs of 500 x 375 px out of a photo, one from each corner, each with the lowest quality
 * from 90 on that gives 100,000 bytes. The same photo gives the same bytes on every run.
 */
export async function cutJpegs(photo: Uint8Array): Promise<Uint8Array[]> {
  const { width, height } = await sharp(photo).metadata();
  const windowWidth = Math.floor(Math.min(width, (height * WIDTH) / HEIGHT) * WINDOW);
  const windowHeight = Math.floor((windowWidth * HEIGHT) / WIDTH);
  return Promise.all(
    CORNERS.map(async ({ x, y }) => {
      const pixels = await sharp(photo)
        .extract({
          left: x * (width - windowWidth),
          top: y * (height - windowHeight),
          width: windowWidth,
          height: windowHeight,
        })
        .resize(WIDTH, HEIGHT)
        .toColourspace('srgb')
        .png({ compressionLevel: 0 })
        .toBuffer();
      return encodeAtAimedSize(pixels);
    }),
  );
}

async function encodeAtAimedSize(pixels: Uint8Array): Promise<Uint8Array> {
  for (let quality = LOWEST_QUALITY; ; quality++) {
    const jpeg = await sharp(pixels).jpeg({ quality }).toBuffer();
    if (jpeg.length >= AIMED_BYTES || quality === 100) {
      return jpeg;
    }
  }
}
