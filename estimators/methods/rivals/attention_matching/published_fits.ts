import type { RandomStream } from "../../../../kernels/random.ts";
import { heaviestKeys, LOG_MASS, type MatchedKeys, mostAlike } from "./choose_keys.ts";
import type { ValueTask } from "./fit_values.ts";
import { GrowingFactor, leastSquares } from "./least_squares.ts";
import { powersOf, type ReferenceRows } from "./reference_rows.ts";

/** Masses in pursuit: of no less than the first, of no more than the second; keys below the third are replaced at last. */
const PURSUIT = { least: 1e-12, most: Math.exp(7), dropped: Math.exp(-7) };
/** How often they are replaced. */
const REPLACEMENTS = 3;
/** Steps down the gradient for the heaviest keys. */
const STEPS = 2;

/** Values by least squares without a ridge: the shortest of those that match, where rows are fewer than keys. */
export function plainValues({ shares, output, rows, kept, width }: ValueTask): Float32Array {
  const columns = Array.from(
    { length: kept },
    (_, s) => Float64Array.from({ length: rows }, (_, row) => shares[row * kept + s]),
  );
  const solve = leastSquares(columns, rows), values = new Float32Array(kept * width);
  for (let c = 0; c < width; c++) {
    const fitted = solve(Float64Array.from({ length: rows }, (_, row) => output[row * width + c]));
    fitted.forEach((x, s) => values[s * width + c] = x);
  }
  return values;
}

/** The heaviest keys, with masses solved without bounds and cut to them, before and after each of two steps down the gradient. */
export function publishedHeaviest(rows: ReferenceRows, most: number, random: RandomStream): MatchedKeys {
  const keys = heaviestKeys(rows, most), columns = keys.map((key) => powersOf(rows, key));
  const least = Math.exp(LOG_MASS.least), largest = Math.exp(LOG_MASS.most);
  const cut = (x: number) => Math.min(largest, Math.max(least, x));
  const masses = leastSquares(columns, rows.count)(rows.sums).map(cut);
  const square = largestSquare(columns, rows.count, random);
  for (let step = 0; step < STEPS; step++) {
    const rest = left(columns, masses, rows.sums);
    columns.forEach((column, s) => masses[s] = cut(masses[s] + dot(column, rest) / square));
  }
  return { keys, masses: Array.from(masses) };
}

/** Pursuit among all keys with masses solved without bounds and cut; keys of nearly no mass are replaced at last. */
export function publishedPursuit(rows: ReferenceRows, most: number): MatchedKeys {
  const all = Array.from({ length: rows.keys }, (_, key) => powersOf(rows, key));
  const taken = new Uint8Array(rows.keys);
  let keys: number[] = [], masses: Float64Array = new Float64Array(0);
  for (let replacement = 0; replacement <= REPLACEMENTS; replacement++) {
    const fit = cutFit(rows.sums);
    for (const key of keys) fit.add(all[key]);
    masses = fit.masses();
    while (keys.length < Math.min(most, rows.keys)) {
      const best = mostAlike(all, left(keys.map((key) => all[key]), masses, rows.sums), taken) ??
        taken.indexOf(0);
      if (best === -1) break;
      taken[best] = 1;
      keys.push(best);
      fit.add(all[best]);
      masses = fit.masses();
    }
    const stay = masses.map((mass) => Number(mass >= PURSUIT.dropped));
    if (replacement === REPLACEMENTS || stay.every((own) => own === 1)) break;
    keys = keys.filter((_, at) => stay[at] === 1);
  }
  return { keys, masses: Array.from(masses) };
}

/** Masses of a growing set of columns, solved without bounds and cut. */
function cutFit(sums: Float64Array) {
  const columns: Float64Array[] = [], factor = new GrowingFactor();
  return {
    add(column: Float64Array) {
      columns.push(column);
      if (columns.length <= sums.length) factor.add(column);
    },
    masses(): Float64Array {
      if (columns.length === 0) return new Float64Array(0);
      const enough = columns.length <= sums.length;
      const solved = enough ? factor.solve(sums) : leastSquares(columns, sums.length)(sums);
      return solved.map((x) => Math.min(PURSUIT.most, Math.max(PURSUIT.least, x)));
    },
  };
}

/** What columns with masses leave of a target. */
function left(columns: readonly Float64Array[], masses: Float64Array, target: Float64Array): Float64Array {
  const rest = target.slice();
  columns.forEach((column, s) => {
    for (let row = 0; row < rest.length; row++) rest[row] -= masses[s] * column[row];
  });
  return rest;
}

/** About ‖A‖², by three rounds of the power method. */
function largestSquare(columns: readonly Float64Array[], rows: number, random: RandomStream): number {
  let vector = Float64Array.from(columns, () => random.normal()), square = 1;
  for (let round = 0; round < 3; round++) {
    const image = left(columns, vector, new Float64Array(rows));
    const norm = Math.sqrt(dot(image, image)) || 1;
    vector = Float64Array.from(columns, (column) => -dot(column, image) / norm);
    const size = Math.sqrt(dot(vector, vector)) || 1;
    square = size * size;
    vector = vector.map((x) => x / size);
  }
  return square;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
