const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

/** The bits of the IEEE 754 half-precision number nearest to a float32, ties to even. */
export function float16Bits(value: number): number {
  single[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const half = exponent - 127 + 15;
  if (half >= 31) return sign | 0x7c00;
  if (half <= 0) {
    // Subnormal: the hidden bit moves into the fraction; below half of the least it is zero.
    if (half < -10) return sign;
    return sign | roundShift(fraction | 0x800000, 14 - half);
  }
  // A carry out of the fraction raises the exponent, as it should (up to infinity).
  return sign | ((half << 10) + roundShift(fraction, 13));
}

/** `value / 2 ** shift`, halves to even. */
function roundShift(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return rest > middle || (rest === middle && whole % 2 === 1) ? whole + 1 : whole;
}
