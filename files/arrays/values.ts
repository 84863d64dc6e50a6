import type { ArrayLayout } from "./layout.ts";

/**
 * Decodes a run of whole values into 32-bit floats; truth values become 0 and 1.
 *
 * @param target Receives the values.
 * @param first Position in `target`, and in the file, of the first value.
 * @param bytes The bytes of the values and nothing else.
 * @throws {RangeError} If a finite f64 value is too large for f32, or an integer is none that f32 has, naming its index.
 */
export function decodeValues(
  target: Float32Array,
  first: number,
  bytes: Uint8Array,
  layout: ArrayLayout,
  name: string,
): void {
  const { kind, valueBytes, littleEndian } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / valueBytes;
  const refuse = (at: number, rule: string, value: number | bigint): never => {
    throw new RangeError(
      `Cannot read ${name}: value at [${
        indexOf(first + at, layout).join(", ")
      }] must ${rule}: current value is ${value}`,
    );
  };
  if (kind === "f" && valueBytes === 4) {
    for (let i = 0; i < count; i++) target[first + i] = view.getFloat32(4 * i, littleEndian);
  } else if (kind === "f" && valueBytes === 2) {
    for (let i = 0; i < count; i++) target[first + i] = float16(view.getUint16(2 * i, littleEndian));
  } else if (kind === "bf") {
    // The upper half of the f32 of the same value.
    const bits = new Uint32Array(target.buffer, target.byteOffset + 4 * first, count);
    for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, littleEndian) << 16;
  } else if (kind === "f") {
    for (let i = 0; i < count; i++) {
      const value = view.getFloat64(8 * i, littleEndian);
      target[first + i] = value;
      if (Math.abs(target[first + i]) === Infinity && Number.isFinite(value)) {
        refuse(i, "fit a 32-bit float", value);
      }
    }
  } else if (kind === "b") {
    for (let i = 0; i < count; i++) {
      if (bytes[i] > 1) refuse(i, "be 0 or 1, being a truth value", bytes[i]);
      target[first + i] = bytes[i];
    }
  } else if (valueBytes === 8) {
    const read = kind === "i" ? view.getBigInt64 : view.getBigUint64;
    for (let i = 0; i < count; i++) {
      const value = read.call(view, 8 * i, littleEndian);
      target[first + i] = Number(value);
      if (BigInt(target[first + i]) !== value) refuse(i, EXACT, value);
    }
  } else {
    const read = integerReader(view, kind, valueBytes);
    for (let i = 0; i < count; i++) {
      const value = read.call(view, valueBytes * i, littleEndian);
      target[first + i] = value;
      if (target[first + i] !== value) refuse(i, EXACT, value);
    }
  }
}

const EXACT = "be exact as a 32-bit float, being an integer";

function integerReader(
  view: DataView,
  kind: "i" | "u",
  bytes: number,
): (at: number, littleEndian: boolean) => number {
  if (bytes === 1) return kind === "i" ? view.getInt8 : view.getUint8;
  if (bytes === 2) return kind === "i" ? view.getInt16 : view.getUint16;
  return kind === "i" ? view.getInt32 : view.getUint32;
}

/** The value of an IEEE 754 half-precision number from its bits; DataView.getFloat16 is too young to rely on. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Index of the value at a position in the file. */
function indexOf(position: number, { shape, fortranOrder }: ArrayLayout): number[] {
  const index = new Array<number>(shape.length), axes = [...shape.keys()];
  for (const axis of fortranOrder ? axes : axes.reverse()) {
    index[axis] = position % shape[axis];
    position = Math.floor(position / shape[axis]);
  }
  return index;
}
