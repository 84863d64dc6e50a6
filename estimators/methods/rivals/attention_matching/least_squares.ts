/** Orthonormal columns Q and the upper triangle R, column by column, with A = Q R. */
export class GrowingFactor {
  readonly #q: Float64Array[] = [];
  readonly #r: Float64Array[] = [];

  /** Adds a column of A, by Gram and Schmidt twice over, which keeps Q orthonormal (Giraud, Langou and Rozloznik 2005). */
  add(column: Float64Array): void {
    const rest = column.slice(), shares = new Float64Array(this.#q.length + 1);
    for (let pass = 0; pass < 2; pass++) {
      this.#q.forEach((other, at) => {
        const share = dot(other, rest);
        shares[at] += share;
        for (let i = 0; i < rest.length; i++) rest[i] -= share * other[i];
      });
    }
    const norm = Math.sqrt(dot(rest, rest));
    shares[this.#q.length] = norm;
    this.#q.push(rest.map((x) => x / norm));
    this.#r.push(shares);
  }

  /** The x with the least ‖A x − y‖. */
  solve(y: Float64Array): Float64Array {
    const x = Float64Array.from(this.#q, (column) => dot(column, y));
    for (let i = x.length - 1; i >= 0; i--) {
      x[i] /= this.#r[i][i];
      for (let t = 0; t < i; t++) x[t] -= this.#r[i][t] * x[i];
    }
    return x;
  }

  /** The shortest x with Aᵀ x = y. */
  solveTransposed(y: Float64Array): Float64Array {
    const z = y.slice(), x = new Float64Array(this.#q[0].length);
    for (let i = 0; i < z.length; i++) {
      for (let t = 0; t < i; t++) z[i] -= this.#r[i][t] * z[t];
      z[i] /= this.#r[i][i];
    }
    this.#q.forEach((column, at) => {
      for (let i = 0; i < x.length; i++) x[i] += z[at] * column[i];
    });
    return x;
  }
}

/**
 * A function from y to the x with the least ‖A x − y‖, and of those the shortest. A is taken to have full rank, as LAPACK's gels does.
 *
 * @param columns Of A.
 */
export function leastSquares(
  columns: readonly Float64Array[],
  rows: number,
): (y: Float64Array) => Float64Array {
  const factor = new GrowingFactor();
  if (columns.length <= rows) {
    for (const column of columns) factor.add(column);
    return (y) => factor.solve(y);
  }
  for (let row = 0; row < rows; row++) factor.add(Float64Array.from(columns, (column) => column[row]));
  return (y) => factor.solveTransposed(y);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
