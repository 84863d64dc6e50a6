/** What {@link greedyTails} finds. */
export interface Tails {
  /** [most + 1]: at r an upper bound on Σ_{i>r} λ_i, in units of e^logUnit. */
  readonly tails: Float64Array;
  readonly logUnit: number;
}

/**
 * Upper bounds on the sums of all but the r largest eigenvalues of the kernel e^(factor ⟨k, k'⟩): the traces that Cholesky's factorisation leaves, with the
 * largest diagonal as the pivot. No matrix of rank r leaves less than the eigenvalues.
 *
 * @param rows [count, width]
 */
export function greedyTails(rows: Float64Array, width: number, factor: number, most: number): Tails {
  const count = rows.length / width, residual = new Float64Array(count), squares = new Float64Array(count);
  for (let at = 0; at < rows.length; at++) squares[Math.floor(at / width)] += rows[at] ** 2;
  const logUnit = factor * squares.reduce((a, b) => Math.max(a, b), 0);
  squares.forEach((square, l) => residual[l] = Math.exp(factor * square - logUnit));
  const tails = new Float64Array(most + 1), columns: Float64Array[] = [];
  for (let r = 0; r <= most; r++) {
    // Rounding leaves as much for each row.
    for (const left of residual) tails[r] += Math.max(left, Number.EPSILON);
    let pivot = 0;
    residual.forEach((left, l) => pivot = left > residual[pivot] ? l : pivot);
    const root = Math.sqrt(residual[pivot]);
    if (!(residual[pivot] > Number.EPSILON)) {
      tails.fill(tails[r], r);
      break;
    }
    const column = Float64Array.from({ length: count }, (_, l) => {
      let product = 0;
      for (let c = 0; c < width; c++) product += rows[l * width + c] * rows[pivot * width + c];
      let entry = Math.exp(factor * product - logUnit);
      for (const earlier of columns) entry -= earlier[l] * earlier[pivot];
      return entry / root;
    });
    column.forEach((x, l) => residual[l] = Math.max(0, residual[l] - x * x));
    residual[pivot] = 0;
    columns.push(column);
  }
  return { tails, logUnit };
}

/**
 * The trace that randomly pivoted Cholesky leaves in the mean after so many pivots, at most: (1 + ε) tail_r wherever r/ε + r ln(1/(ε η)) pivots are no more, with
 * η = tail_r/tail_0 (Chen, Epperly, Tropp and Webber 2024, theorem 5.1); the least over all r and ε.
 */
export function pivotedCholeskyTrace(tails: ArrayLike<number>, pivots: number): number {
  let least = tails[0];
  for (let r = 1; r < tails.length; r++) {
    const needs = (epsilon: number) => {
      const more = Math.log(tails[0] / (epsilon * tails[r]));
      return r / epsilon + r * Math.max(0, more);
    };
    let low = 1e-6, high = 1e6;
    if (needs(high) > pivots) continue;
    while (high / low > 1.001) {
      const middle = Math.sqrt(low * high);
      if (needs(middle) > pivots) low = middle;
      else high = middle;
    }
    least = Math.min(least, (1 + high) * tails[r]);
  }
  return least;
}
