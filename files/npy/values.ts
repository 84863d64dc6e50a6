import type { NpyHeader } from "./header.ts";

/**
 * Decodes a run of whole values into 32-bit floats.
 *
 * @param target Receives the values.
 * @param first Position in `target`, and in the array, of the first value.
 * @param bytes The bytes of the values and nothing else.
 * @throws {RangeError} If a finite f64 value is too large for f32, naming its index.
 */
export function decodeValues(
  target: Float32Array,
  first: number,
  bytes: Uint8Array,
  header: NpyHeader,
  name: string,
): void {
  const { valueBytes, littleEndian } = header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / valueBytes;
  if (valueBytes === 4) {
    for (let i = 0; i < count; i++) target[first + i] = view.getFloat32(4 * i, littleEndian);
  } else if (valueBytes === 2) {
    for (let i = 0; i < count; i++) target[first + i] = float16(view.getUint16(2 * i, littleEndian));
  } else {
    for (let i = 0; i < count; i++) {
      const value = view.getFloat64(8 * i, littleEndian);
      target[first + i] = value;
      if (Math.abs(target[first + i]) === Infinity && Number.isFinite(value)) {
        throw new RangeError(
          `Cannot read ${name}: value at [${
            indexOf(first + i, header.shape).join(", ")
          }] must fit a 32-bit float: current value is ${value}`,
        );
      }
    }
  }
}

/** The value of an IEEE 754 half-precision number from its bits; DataView.getFloat16 is too young to rely on. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function indexOf(position: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(position % shape[axis]);
    position = Math.floor(position / shape[axis]);
  }
  return index;
}
