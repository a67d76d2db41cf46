const view = new DataView(new ArrayBuffer(4));

/** The bits of the IEEE 754 half-precision number nearest to a number, ties to even. */
export function float16Bits(value: number): number {
  view.setFloat16(0, value);
  return view.getUint16(0);
}
