import { heaviest } from "../oracle_top_k/heaviest.ts";
import { boxedFit } from "./boxed_fit.ts";
import { NonNegativeFit } from "./nonnegative_fit.ts";
import { powersOf, type ReferenceRows } from "./reference_rows.ts";

/** Keys that are kept, and the masses with which their powers come to the sums of all. */
export interface MatchedKeys {
  /** Rows of the head. */
  readonly keys: readonly number[];
  /** Positive. */
  readonly masses: readonly number[];
}

/** Logarithms of masses of the heaviest keys, as published. */
export const LOG_MASS = { least: -3, most: 3 };
/** Keys among which pursuit looks, for each that it keeps. */
const LOOKED = 8;
/** Ridge of the masses: without it few keys would carry all, and little be left to fit values with. */
const RIDGE = 0.01;

/** The keys that weigh most in the root mean square over the rows. */
export function heaviestKeys({ count, keys, powers, sums }: ReferenceRows, most: number): number[] {
  const squares = new Float64Array(keys);
  for (let row = 0, at = 0; row < count; row++) {
    for (let j = 0; j < keys; j++, at++) squares[j] += (powers[at] / sums[row]) ** 2;
  }
  return Array.from(heaviest(Float32Array.from(squares, Math.sqrt), Math.min(most, keys)));
}

/** The heaviest keys, with the masses within their bounds that come closest. */
export function matchHeaviest(rows: ReferenceRows, most: number): MatchedKeys {
  const keys = heaviestKeys(rows, most), columns = keys.map((key) => powersOf(rows, key));
  const bounds = { least: Math.exp(LOG_MASS.least), most: Math.exp(LOG_MASS.most) };
  return { keys, masses: Array.from(boxedFit(columns, rows.sums, bounds)) };
}

/**
 * Orthogonal matching pursuit with masses that are never negative: again and again the key whose powers have the largest product with what the
 * kept ones leave of the sums is added, and all masses are fitted anew. Keys whose masses come out as 0 make room for others.
 */
export function matchByPursuit(rows: ReferenceRows, most: number): MatchedKeys {
  const places = heaviestKeys(rows, LOOKED * most), columns = places.map((key) => powersOf(rows, key));
  const fit = new NonNegativeFit(rows.sums, RIDGE),
    added: number[] = [],
    taken = new Uint8Array(places.length);
  while (fit.used < most && added.length < 2 * most) {
    const best = mostAlike(columns, fit.residual(), taken);
    if (best === undefined) break;
    taken[best] = 1;
    added.push(best);
    fit.add(columns[best]);
    fit.solve();
  }
  // A key that had gone may have come back, so that one more is in use.
  const used = added.map((place, at) => ({ place, mass: fit.x[at] })).filter(({ mass }) => mass > 0);
  if (used.length > most) used.sort((a, b) => b.mass - a.mass).length = most;
  return { keys: used.map(({ place }) => places[place]), masses: used.map(({ mass }) => mass) };
}

/** The column with the largest product with the rest, if one is positive; those taken do not count. */
export function mostAlike(
  columns: readonly Float64Array[],
  rest: Float64Array,
  taken: Uint8Array,
): number | undefined {
  let best: number | undefined, largest = 0;
  for (let at = 0; at < columns.length; at++) {
    if (taken[at]) continue;
    const column = columns[at];
    let product = 0;
    for (let row = 0; row < rest.length; row++) product += column[row] * rest[row];
    if (product > largest) [best, largest] = [at, product];
  }
  return best;
}
