import type { Tensor } from "../../kernels/tensor.ts";

/** Magnitudes from here on may overflow f32 in sums or squares. */
export const LARGEST = 1e30;

/**
 * Checks that every x is finite and below {@link LARGEST}.
 *
 * @param largest Largest |x|, NaN where there is one.
 * @throws {RangeError} That names tensor, row and column.
 */
export function checkMagnitude(name: string, { data, shape }: Tensor, largest: number): void {
  if (largest < LARGEST) return;
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
