import type { RandomStream } from "../../../../kernels/random.ts";

/** Of a diagonal of ones: less than that is what rounding leaves of 0. */
const NOTHING = 1e-13;

/** Rows whose kernel columns span nearly those of all, and what it takes to write the others by them. */
export interface Pivots {
  /** Places of the pivots. */
  readonly places: number[];
  /** [pivots, count]: the factor F with Fᵀ F near the kernel matrix. Its columns at the pivots are lower triangular. */
  readonly factor: Float64Array;
}

/**
 * Randomly pivoted Cholesky (Chen, Epperly, Tropp and Webber 2024) of the kernel e^(−factor ‖k − k'‖²/2), with the probability of a pivot in proportion
 * to what its diagonal has left, times e^(factor ‖k‖²): the diagonal of the kernel e^(factor ⟨k, k'⟩), in place of which the bounded one stands.
 *
 * @param rows [count, width], centred.
 * @param most Pivots to choose; fewer where those span everything.
 */
export function choosePivots(
  rows: Float64Array,
  width: number,
  squares: Float64Array,
  factor: number,
  most: number,
  random: RandomStream,
): Pivots {
  const count = squares.length, residual = new Float64Array(count).fill(1);
  const columns = new Float64Array(most * count), places: number[] = [];
  while (places.length < most) {
    const pivot = drawPivot(residual, squares, factor, random);
    if (pivot === undefined) break;
    const column = columns.subarray(places.length * count, (places.length + 1) * count);
    kernelColumn(rows, width, pivot, factor, column);
    const shares = places.map((_, at) => columns[at * count + pivot]);
    subtractColumns(column, columns, 0, shares);
    const root = Math.sqrt(residual[pivot]);
    for (let l = 0; l < count; l++) {
      column[l] /= root;
      residual[l] -= column[l] * column[l];
    }
    // What rounding may have left of what is 0 by construction would spoil the triangle.
    for (const earlier of places) column[earlier] = 0;
    column[pivot] = root;
    residual[pivot] = 0;
    places.push(pivot);
  }
  return { places, factor: columns.subarray(0, places.length * count) };
}

/** A row with probability in proportion to residual · e^(factor · square); undefined if none is left. */
function drawPivot(
  residual: Float64Array,
  squares: Float64Array,
  factor: number,
  random: RandomStream,
): number | undefined {
  let largest = -Infinity;
  for (let l = 0; l < residual.length; l++) {
    if (residual[l] > NOTHING) largest = Math.max(largest, squares[l]);
  }
  if (largest === -Infinity) return undefined;
  const sums = new Float64Array(residual.length);
  let total = 0, last = 0;
  for (let l = 0; l < residual.length; l++) {
    if (residual[l] > NOTHING) {
      const weight = residual[l] * Math.exp(factor * (squares[l] - largest));
      if (weight > 0) last = l;
      total += weight;
    }
    sums[l] = total;
  }
  const drawn = random.uniform() * total, place = sums.findIndex((sum) => sum > drawn);
  return place === -1 ? last : place;
}

/** The kernel of one row with all, from differences, which lose nothing where rows are near. */
function kernelColumn(
  rows: Float64Array,
  width: number,
  pivot: number,
  factor: number,
  column: Float64Array,
): void {
  const own = rows.subarray(pivot * width, (pivot + 1) * width);
  for (let l = 0, at = 0; l < column.length; l++) {
    let sum = 0;
    for (let c = 0; c < width; c++, at++) {
      const difference = rows[at] - own[c];
      sum += difference * difference;
    }
    column[l] = Math.exp(-factor * sum / 2);
  }
}

/** Takes columns, those from `first` on, each times its share, off another: four at a time, since reading and writing it takes longest. */
function subtractColumns(
  from: Float64Array,
  columns: Float64Array,
  first: number,
  shares: readonly number[],
): void {
  const count = from.length,
    column = (at: number) => columns.subarray((first + at) * count, (first + at + 1) * count);
  let at = 0;
  for (; at + 4 <= shares.length; at += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((next) => column(at + next));
    const [ofA, ofB, ofC, ofD] = shares.slice(at, at + 4);
    for (let l = 0; l < count; l++) from[l] -= ofA * a[l] + ofB * b[l] + ofC * c[l] + ofD * d[l];
  }
  for (; at < shares.length; at++) {
    const a = column(at), share = shares[at];
    for (let l = 0; l < count; l++) from[l] -= share * a[l];
  }
}

/**
 * The weights W [pivots, count] with which columns of the pivots make up those of all rows, H⁻¹ h: from h = L F with H = L Lᵀ follows
 * W = L⁻ᵀ F. In place of the factor.
 */
export function solveWeights({ places, factor }: Pivots, count: number): Float64Array {
  for (let i = places.length - 1; i >= 0; i--) {
    const own = factor.subarray(i * count, (i + 1) * count), triangle = places.map((place) => own[place]);
    subtractColumns(own, factor, i + 1, triangle.slice(i + 1));
    for (let l = 0; l < count; l++) own[l] /= triangle[i];
  }
  return factor;
}
