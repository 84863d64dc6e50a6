/** Rounds over all columns at most. */
const ROUNDS = 500;
/** A round that moves no x by more than this share of it is the last. */
const STILL = 1e-6;

/**
 * The x within bounds with the least ‖A x − y‖, by coordinate descent, which cannot increase the distance and stops where no single x can
 * lessen it: there nothing can, since the distance is convex.
 *
 * @param columns Of A, none of them 0.
 */
export function boxedFit(
  columns: readonly Float64Array[],
  target: Float64Array,
  { least, most }: { readonly least: number; readonly most: number },
): Float64Array {
  const x = new Float64Array(columns.length).fill(Math.min(most, Math.max(least, 1))), rest = target.slice();
  const squares = columns.map((column) => column.reduce((sum, power) => sum + power * power, 0));
  columns.forEach((column, at) => subtract(rest, column, x[at]));
  for (let round = 0; round < ROUNDS; round++) {
    let moved = 0;
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at];
      let product = 0;
      for (let row = 0; row < rest.length; row++) product += column[row] * rest[row];
      const best = squares[at] > 0 ? x[at] + product / squares[at] : x[at];
      const to = Math.min(most, Math.max(least, best)), by = to - x[at];
      if (by === 0) continue;
      x[at] = to;
      moved = Math.max(moved, Math.abs(by) / to);
      subtract(rest, column, by);
    }
    if (moved <= STILL) break;
  }
  return x;
}

function subtract(from: Float64Array, column: Float64Array, share: number): void {
  for (let row = 0; row < from.length; row++) from[row] -= share * column[row];
}
