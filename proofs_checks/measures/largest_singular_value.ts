import { rowsOf } from "../../estimators/linear_algebra/gram_images.ts";
import { normBounds } from "./norm_bounds.ts";

/**
 * Largest singular value of a matrix in float64, from below: the lower end of {@link normBounds}, whose leading pair is settled to 1e-6, or the best
 * that a hundred steps found. An error divided by it is overstated, never understated.
 *
 * @param values Row-major, rows × columns.
 */
export function largestSingularValue(values: ArrayLike<number>, rows: number, columns: number): number {
  const held = values instanceof Float64Array ? values : Float64Array.from(values);
  return normBounds(rowsOf(held, rows, columns), { tolerance: Infinity }).lower;
}
