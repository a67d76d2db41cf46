/**
 * The two passes of Pillow's 8-bit resampling in WebAssembly SIMD; called by `../passes.ts`.
 * AssemblyScript, not TypeScript: see README.md.
 *
 * Every sum is Pillow's own 32-bit one, to the bit. A weight has some 24 bits, and the instruction
 * that multiplies pairs and adds them takes 16: so `weight = high * 2^15 + low`, and the two parts
 * are summed apart. Pairs of taps come as `[low, low, high, high]`, the same number for every
 * position; a tap too many has weight 0, whatever byte it reads.
 */

const PRECISION_BITS: i32 = 22;
const LOW_BITS: i32 = 15;
const HALF: i32 = 1 << (PRECISION_BITS - 1);
const PAIR_BYTES: usize = 8;

/** Puts both parts of four sums together and cuts the fraction off. */
function join(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, LOW_BITS)), PRECISION_BITS);
}

/**
 * Resizes `rows` rows of interleaved RGB to `count` pixels each. Reads up to 10 bytes beyond its last
 * taps and writes 1 byte beyond each row.
 */
export function horizontalRgb(
  source: usize,
  sourceStride: usize,
  target: usize,
  targetStride: usize,
  rows: i32,
  starts: usize,
  weights: usize,
  pairs: i32,
  count: i32,
): void {
  // red red, green green, blue blue, each byte widened to 16 bits by a 0 (index 128)
  const spread = i8x16(
    0,
    -128,
    3,
    -128,
    1,
    -128,
    4,
    -128,
    2,
    -128,
    5,
    -128,
    -128,
    -128,
    -128,
    -128,
  );
  for (let row = 0; row < rows; row += 4) {
    const last = rows - 1 - row;
    const from0 = source + <usize>row * sourceStride;
    const from1 = from0 + <usize>min(1, last) * sourceStride;
    const from2 = from0 + <usize>min(2, last) * sourceStride;
    const from3 = from0 + <usize>min(3, last) * sourceStride;
    let to0 = target + <usize>row * targetStride;
    let to1 = to0 + <usize>min(1, last) * targetStride;
    let to2 = to0 + <usize>min(2, last) * targetStride;
    let to3 = to0 + <usize>min(3, last) * targetStride;
    let weight = weights;
    for (let i = 0; i < count; i++) {
      let at = <usize>load<i32>(starts + ((<usize>i) << 2)) * 3;
      let low0 = i32x4.splat(HALF);
      let low1 = i32x4.splat(HALF);
      let low2 = i32x4.splat(HALF);
      let low3 = i32x4.splat(HALF);
      let high0 = i32x4.splat(0);
      let high1 = i32x4.splat(0);
      let high2 = i32x4.splat(0);
      let high3 = i32x4.splat(0);
      const end = weight + <usize>pairs * PAIR_BYTES;
      for (; weight < end; weight += PAIR_BYTES) {
        const low = v128.load32_splat(weight);
        const high = v128.load32_splat(weight, 4);
        let pixels = i8x16.swizzle(v128.load(from0 + at), spread);
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pixels, low));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pixels, high));
        pixels = i8x16.swizzle(v128.load(from1 + at), spread);
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pixels, low));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pixels, high));
        pixels = i8x16.swizzle(v128.load(from2 + at), spread);
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pixels, low));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pixels, high));
        pixels = i8x16.swizzle(v128.load(from3 + at), spread);
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pixels, low));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pixels, high));
        at += 6;
      }
      const bytes = i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(join(low0, high0), join(low1, high1)),
        i16x8.narrow_i32x4_s(join(low2, high2), join(low3, high3)),
      );
      v128.store32_lane(to0, bytes, 0);
      v128.store32_lane(to1, bytes, 1);
      v128.store32_lane(to2, bytes, 2);
      v128.store32_lane(to3, bytes, 3);
      to0 += 3;
      to1 += 3;
      to2 += 3;
      to3 += 3;
    }
  }
}

/** Resizes `rows` rows of one channel to `count` pixels each. */
export function horizontalGrey(
  source: usize,
  sourceStride: usize,
  target: usize,
  targetStride: usize,
  rows: i32,
  starts: usize,
  weights: usize,
  pairs: i32,
  count: i32,
): void {
  for (let row = 0; row < rows; row += 4) {
    const last = rows - 1 - row;
    const from0 = source + <usize>row * sourceStride;
    const from1 = from0 + <usize>min(1, last) * sourceStride;
    const from2 = from0 + <usize>min(2, last) * sourceStride;
    const from3 = from0 + <usize>min(3, last) * sourceStride;
    const to0 = target + <usize>row * targetStride;
    const to1 = to0 + <usize>min(1, last) * targetStride;
    const to2 = to0 + <usize>min(2, last) * targetStride;
    const to3 = to0 + <usize>min(3, last) * targetStride;
    let weight = weights;
    for (let i = 0; i < count; i++) {
      let at = <usize>load<i32>(starts + ((<usize>i) << 2));
      let low = i32x4.splat(HALF);
      let high = i32x4.splat(0);
      const end = weight + <usize>pairs * PAIR_BYTES;
      for (; weight < end; weight += PAIR_BYTES) {
        // A pair of taps from each of the four rows.
        let bytes = v128.load16_lane(from0 + at, i32x4.splat(0), 0);
        bytes = v128.load16_lane(from1 + at, bytes, 1);
        bytes = v128.load16_lane(from2 + at, bytes, 2);
        bytes = v128.load16_lane(from3 + at, bytes, 3);
        const pixels = i16x8.extend_low_i8x16_u(bytes);
        low = i32x4.add(low, i32x4.dot_i16x8_s(pixels, v128.load32_splat(weight)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(pixels, v128.load32_splat(weight, 4)));
        at += 2;
      }
      const words = i16x8.narrow_i32x4_s(join(low, high), i32x4.splat(0));
      const bytes = i8x16.narrow_i16x8_u(words, words);
      v128.store8_lane(to0 + i, bytes, 0);
      v128.store8_lane(to1 + i, bytes, 1);
      v128.store8_lane(to2 + i, bytes, 2);
      v128.store8_lane(to3 + i, bytes, 3);
    }
  }
}

/**
 * Resizes columns of bytes, channels and all, to `count` rows, from the first to the last. Reads and
 * writes up to 15 bytes beyond each row.
 */
export function vertical(
  source: usize,
  sourceStride: usize,
  target: usize,
  targetStride: usize,
  rowBytes: i32,
  starts: usize,
  weights: usize,
  pairs: i32,
  count: i32,
): void {
  const zero = i32x4.splat(0);
  for (let i = 0; i < count; i++) {
    const base = source + <usize>load<i32>(starts + ((<usize>i) << 2)) * sourceStride;
    const begin = weights + <usize>(i * pairs) * PAIR_BYTES;
    const end = begin + <usize>pairs * PAIR_BYTES;
    const to = target + <usize>i * targetStride;
    for (let column = 0; column < rowBytes; column += 16) {
      let from = base + <usize>column;
      let low0 = i32x4.splat(HALF);
      let low1 = i32x4.splat(HALF);
      let low2 = i32x4.splat(HALF);
      let low3 = i32x4.splat(HALF);
      let high0 = zero;
      let high1 = zero;
      let high2 = zero;
      let high3 = zero;
      for (let weight = begin; weight < end; weight += PAIR_BYTES) {
        const low = v128.load32_splat(weight);
        const high = v128.load32_splat(weight, 4);
        const upper = v128.load(from);
        const lower = v128.load(from + sourceStride);
        from += sourceStride << 1;
        // Two rows' bytes of a column side by side, then widened to 16 bits.
        const left = i8x16.shuffle(
          upper,
          lower,
          0,
          16,
          1,
          17,
          2,
          18,
          3,
          19,
          4,
          20,
          5,
          21,
          6,
          22,
          7,
          23,
        );
        const right = i8x16.shuffle(
          upper,
          lower,
          8,
          24,
          9,
          25,
          10,
          26,
          11,
          27,
          12,
          28,
          13,
          29,
          14,
          30,
          15,
          31,
        );
        let pixels = i16x8.extend_low_i8x16_u(left);
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pixels, low));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pixels, high));
        pixels = i16x8.extend_high_i8x16_u(left);
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pixels, low));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pixels, high));
        pixels = i16x8.extend_low_i8x16_u(right);
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pixels, low));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pixels, high));
        pixels = i16x8.extend_high_i8x16_u(right);
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pixels, low));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pixels, high));
      }
      v128.store(
        to + <usize>column,
        i8x16.narrow_i16x8_u(
          i16x8.narrow_i32x4_s(join(low0, high0), join(low1, high1)),
          i16x8.narrow_i32x4_s(join(low2, high2), join(low3, high3)),
        ),
      );
    }
  }
}
