import type { Problem } from "../../core/problem.ts";
import { lowerOperatorNorm } from "../../linear_algebra/lower_operator_norm.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";

/** Values that their spread is told from. */
const VALUES = 512;
/**
 * Of lists of which no entry would gain more by being cut, the error is about the root to the power of three of that over so much, of the spread of the values:
 * on sharp pretrained heads with 16,384 keys within 0.93 and 1.11 times, where errors are from half to twice those that are asked for.
 */
const FACTOR = 27, POWER = 3;
/**
 * Of more keys than so many more is left behind that gains less, and of fewer queries the few that err most have more of the error: the factor falls as the
 * number of keys to the power of minus the first of these, and rises as that to the second.
 */
const MANY = 16384, FALL = 1.2, RISE = 0.5;

/**
 * What cutting an entry of a list may still gain where the output of a head is to err by so much: known before any list is summed, from what
 * is left in lists, and from how far values vary beside what exact rows say of the output.
 *
 * @param exact Exact rows of the output.
 */
export function gainLeft(
  { value, keys, valueFeatures: width }: Pick<Problem, "value" | "keys" | "valueFeatures">,
  exact: Float32Array,
  error: number,
): number {
  const values = pickRows(value, width, scatteredPlaces(keys, VALUES));
  const size = rootMeanSquare(exact, width), spread = rootMeanSquare(centred(values, width), width);
  const factor = FACTOR * (keys / MANY) ** (keys > MANY ? -FALL : RISE);
  return spread > 0 ? factor * (error * size / spread) ** POWER : Infinity;
}

/** Along the direction in which it is largest. */
function rootMeanSquare(rows: Float32Array | Float64Array, width: number): number {
  const count = rows.length / width;
  return lowerOperatorNorm(rows, count, width).norm / Math.sqrt(count);
}

function centred(rows: Float32Array, width: number): Float64Array {
  const result = Float64Array.from(rows), count = rows.length / width;
  for (let column = 0; column < width; column++) {
    let mean = 0;
    for (let at = column; at < rows.length; at += width) mean += rows[at] / count;
    for (let at = column; at < rows.length; at += width) result[at] -= mean;
  }
  return result;
}
