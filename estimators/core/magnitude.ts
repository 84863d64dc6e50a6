import type { Tensor } from "../../kernels/tensor.ts";

/** Magnitudes from here on may overflow f32 in sums or squares. */
export const LARGEST = 1e30;

const float = new Float32Array(1), word = new Int32Array(float.buffer);

/** Largest |x|; Infinity or NaN where there is one. */
export function largestMagnitude(data: Float32Array): number {
  // Without their signs, floats are ordered as integers, with Infinity and NaN on top: no branch waits for another.
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length), whole = bits.length - 3;
  let a = 0, b = 0, c = 0, d = 0, at = 0;
  for (; at < whole; at += 4) {
    a = Math.max(a, bits[at] & 0x7fffffff);
    b = Math.max(b, bits[at + 1] & 0x7fffffff);
    c = Math.max(c, bits[at + 2] & 0x7fffffff);
    d = Math.max(d, bits[at + 3] & 0x7fffffff);
  }
  for (; at < bits.length; at++) a = Math.max(a, bits[at] & 0x7fffffff);
  word[0] = Math.max(a, b, c, d);
  return float[0];
}

/**
 * Largest |x|, having checked that every x is finite and below {@link LARGEST}.
 *
 * @throws {RangeError} That names tensor, row and column.
 */
export function checkedMagnitude(name: string, { data, shape }: Tensor): number {
  const largest = largestMagnitude(data);
  if (largest < LARGEST) return largest;
  const at = data.findIndex((x) => !(Math.abs(x) < LARGEST));
  const rule = Number.isFinite(data[at]) ? `below ${LARGEST} in magnitude` : "finite";
  throw new RangeError(`Cannot attend: ${name} must be ${rule}: ${placeOf(shape, at)} is ${data[at]}`);
}

/** Where a value of a tensor of rows stands, in words. */
export function placeOf(shape: readonly number[], at: number): string {
  const [rows, columns] = shape.slice(-2), head = Math.floor(at / (rows * columns));
  return `row ${Math.floor(at / columns) % rows}, column ${at % columns}` +
    (shape.length > 2 ? ` of head ${head}` : "");
}
