/** How the values of an array lie in a file. */
export interface ArrayLayout {
  /** Floating point of IEEE 754, bfloat16, signed or unsigned integer, or truth value. */
  readonly kind: "f" | "bf" | "i" | "u" | "b";
  /** Bytes of one value. */
  readonly valueBytes: 1 | 2 | 4 | 8;
  /** Whether values are stored with their lowest byte first. */
  readonly littleEndian: boolean;
  /** Whether the first index changes fastest, in place of the last. */
  readonly fortranOrder: boolean;
  /** Extent of each dimension, outermost first. */
  readonly shape: readonly number[];
  /** Number of values, the product of the extents. */
  readonly size: number;
}

/** The least and the most dimensions that an array may have. */
export type Dimensions = readonly [least: number, most: number];
/** Those of queries, keys and values. */
export const TENSOR_DIMENSIONS: Dimensions = [2, 4];

/**
 * The number of values of an array that may be read.
 *
 * @throws {TypeError} If it has too few dimensions or too many.
 * @throws {RangeError} If an extent is no positive integer, or it has 2^53 bytes or more.
 */
export function checkedSize(
  shape: readonly number[],
  valueBytes: number,
  [least, most]: Dimensions,
  name: string,
): number {
  if (shape.length < least || shape.length > most) {
    throw new TypeError(
      `Cannot read ${name}: array must have ${least} to ${most} dimensions: current value is ${shape.length}`,
    );
  }
  let size = 1;
  for (const [axis, extent] of shape.entries()) {
    if (!Number.isSafeInteger(extent) || extent < 1) {
      throw new RangeError(
        `Cannot read ${name}: dimension ${axis} must be a positive integer: current value is ${extent}`,
      );
    }
    size *= extent;
  }
  if (!Number.isSafeInteger(size * valueBytes)) {
    throw new RangeError(
      `Cannot read ${name}: shape must stay below 2^53 bytes: current value is ${shape.join(" × ")}`,
    );
  }
  return size;
}

/**
 * Checks that a file holds the values that its header promises, and nothing after them.
 *
 * @param found Bytes after the header.
 * @throws {RangeError} If there are more or less.
 */
export function checkDataBytes({ size, valueBytes, shape }: ArrayLayout, found: number, name: string): void {
  const wanted = size * valueBytes;
  if (found === wanted) return;
  const promise = `header says ${shape.join(" × ")} values of ${valueBytes} bytes, ${wanted} in all,`;
  throw new RangeError(
    found < wanted
      ? `Cannot read ${name}: ${promise} but the file holds ${found} bytes of data`
      : `Cannot read ${name}: ${promise} but ${found - wanted} more bytes follow`,
  );
}
